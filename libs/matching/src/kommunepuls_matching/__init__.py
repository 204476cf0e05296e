"""Whom an item concerns, and why: the rules, and an index that answers fast. Pure, no I/O."""
