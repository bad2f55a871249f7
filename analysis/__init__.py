"""Contrasts, agreement, tables and the report."""
