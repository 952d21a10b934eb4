"""The campaign file: read, checked as a whole, and turned into the objects that it names."""
