"""A lead sets up a campaign: scheme, guideline, people, and when it takes labels."""
