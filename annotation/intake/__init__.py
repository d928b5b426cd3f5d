"""Conversations become samples: long sessions are cut into windows."""
