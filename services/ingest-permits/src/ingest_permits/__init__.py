"""Permit archives become content items."""
