"""The commands that need the whole chain."""
