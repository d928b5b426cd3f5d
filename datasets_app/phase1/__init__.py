"""Phase 1 as one run, from sources to a published dataset; only what changed is done again."""
