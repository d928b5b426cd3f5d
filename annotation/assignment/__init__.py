"""Who labels what, and in which order: the plan, and the next sample from it."""
