"""Readers that turn the files people have into conversations, one record at a time."""
