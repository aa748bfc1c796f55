"""Text: encoders with a head, the plain rival, and the public inputs that prove an adapter."""
