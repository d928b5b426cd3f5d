"""PostgreSQL and Redis, started for you when no URL names real ones, and what keeps all parts alive."""
