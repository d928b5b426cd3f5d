"""People: users, roles, invitations, and the second factor."""
