"""The demo `vision`: drawings of things, and the Unicode group that each belongs to."""

from __future__ import annotations

from ..hookspecs import Demo, hookimpl
from . import EXAMPLES

PICTURES = EXAMPLES / "noto-emoji"


@hookimpl
def register_demos() -> list[Demo]:
    """Offer the demo of pictures."""
    return [
        Demo(
            name="vision",
            task="image-classification",
            domain="general",
            suits="pictures",
            words="convolutional network",
            learns="789 drawings",
            data=PICTURES,
            data_licence="apache-2.0",
            inputs=(
                PICTURES / "test" / "animals" / "lion.webp",
                PICTURES / "test" / "food" / "pizza.webp",
            ),
            model="noto-emoji",
        )
    ]
