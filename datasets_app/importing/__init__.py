"""Conversations in: upload, preview, import, and the record of what was kept and what was turned away."""
