"""The guideline, a key away from every sample."""
