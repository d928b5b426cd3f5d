"""The screening quiz: a versioned bank of questions, random draws, timed tries."""
