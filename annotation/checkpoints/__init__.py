"""Checkpoints: looks declared beforehand, and a signed, frozen report of each look that was reached."""
