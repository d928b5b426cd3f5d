"""The lead's live page about agreement: the figures, what they rest on, and the samples behind each."""
