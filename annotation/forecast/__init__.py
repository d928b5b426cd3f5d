"""When a campaign will be done and what it will have cost, with an interval."""
