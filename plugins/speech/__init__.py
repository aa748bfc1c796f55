"""Speech and other sound: clips as models want them, and the plain rival."""
