"""A program of the user's own as an objective."""
