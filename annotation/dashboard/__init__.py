"""The lead's view of a campaign: every number, and the rows behind it."""
