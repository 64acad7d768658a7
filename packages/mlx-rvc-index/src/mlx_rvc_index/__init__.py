"""Read RVC feature indexes and blend features towards the target voice."""
