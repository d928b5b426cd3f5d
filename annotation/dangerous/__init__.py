"""Dangerous disagreement: two clinicians differ where it matters, and a senior answers within a time."""
