"""Conversations written for the project, so that a fresh installation has something to label."""
