"""What every app of the site stands on: keys, sealed text, append-only tables, middleware."""
