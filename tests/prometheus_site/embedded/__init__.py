"""Starting, adopting, supervising and stopping real servers and processes."""
