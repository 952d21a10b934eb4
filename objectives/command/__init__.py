"""A user's program as an objective."""
