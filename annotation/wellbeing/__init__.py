"""Care for the clinicians: limits they may lower, what they have read, and what may come next."""
