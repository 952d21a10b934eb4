"""What has been learned from values: one interface, one file a model family."""
