"""What the streams process answers: requests that stay open, and nothing else of the site."""
