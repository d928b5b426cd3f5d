"""Which conversations clinicians should label: pure policy from a verified dataset to picks."""
