"""The demo `speech`: spoken letters and numbers, by voices that were never heard before."""

from __future__ import annotations

from ..hookspecs import Demo, hookimpl
from . import EXAMPLES

SPOKEN = EXAMPLES / "letters-and-numbers"


@hookimpl
def register_demos() -> list[Demo]:
    """Offer the demo of sound."""
    return [
        Demo(
            name="speech",
            task="audio-classification",
            domain="support",
            suits="speech",
            words="short clips",
            learns="four voices",
            data=SPOKEN,
            data_licence="cc-by-sa-3.0",
            inputs=(
                SPOKEN / "clips" / "armelle-fr-h.ogg",
                SPOKEN / "clips" / "menardi-it-13.ogg",
            ),
            model="letters-and-numbers",
        )
    ]
