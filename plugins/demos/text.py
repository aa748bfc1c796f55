"""The demo `text`: a few package descriptions of each section of the Debian archive."""

from __future__ import annotations

from ..hookspecs import Demo, hookimpl
from . import EXAMPLES

SECTIONS = EXAMPLES / "debian-sections.csv"
FEW = 8  # rows a label, at which a pretrained model is worth most


@hookimpl
def register_demos() -> list[Demo]:
    """Offer the demo of texts."""
    return [
        Demo(
            name="text",
            task="text-classification",
            domain="software",
            suits="English text",
            words="sentence encoder",
            language="en",
            learns=f"{FEW} rows a label",
            data=SECTIONS,
            few=FEW,
            test=SECTIONS,
            inputs=("Play chess against the computer", "A fast SMTP server"),
            model="debian-sections",
        )
    ]
