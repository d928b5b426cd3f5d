"""Inference: deployment, sessions and their supervision."""
