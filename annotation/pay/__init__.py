"""Hours as they were worked, and what is paid for them."""
