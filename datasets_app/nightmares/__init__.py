"""Twenty clinical extremes: their seeds, and the dialogues told from the seeds through the generator port."""
