"""A campaign played through with made-up conversations and simulated annotators."""
