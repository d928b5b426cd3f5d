"""What a dataset says of itself, to people and to machines, and how two builds differ."""
