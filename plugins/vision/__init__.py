"""Vision: pictures, their fixed views, the plain rivals, and the pictures that prove an adapter."""
