"""What a candidate is worth: one interface, one file a source of property values."""
