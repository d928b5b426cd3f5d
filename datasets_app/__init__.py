"""Conversations in, frozen dataset versions out."""
