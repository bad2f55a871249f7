"""Judge models score responses on a rubric."""
