"""A clinician reads a sample, answers, saves, and corrects."""
