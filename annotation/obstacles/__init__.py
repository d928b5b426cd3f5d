"""What stands between a campaign's agreement and its target, and which clinicians to look at."""
