"""Training before the first sample: modules to read with questions to answer, and made-up samples to try."""
