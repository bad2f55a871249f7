"""What is scored: criteria, their scales, and the shipped rubrics."""
