"""Parts of sources taken out for a family of their own."""
