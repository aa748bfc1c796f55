"""How knowledge moves: rows, features, fitting, measuring. Torch, but no network, no modality."""
