"""The campaign file: reads it, checks it as a whole and builds the objects that it describes."""
