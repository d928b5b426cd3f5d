"""What was selected for a campaign, and why."""
