"""Where models are kept: one file a hub."""
