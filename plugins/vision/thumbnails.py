"""Small pictures, to look at."""

from __future__ import annotations

import io

from .pictures import read_picture

SIDE = 128


def thumbnail(path: str) -> bytes:
    """Return a picture as a PNG of at most 128 pixels a side; raises OSError for none."""
    picture = read_picture(path)
    picture.thumbnail((SIDE, SIDE))
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()
