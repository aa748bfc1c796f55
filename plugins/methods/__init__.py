"""How a network is adapted: one file a method."""
