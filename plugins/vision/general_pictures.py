"""Public pictures of many kinds that ship with hubtl, to measure retention by."""

from ..demos import EXAMPLES
from .probe_inputs import PROBE_INPUTS

DRAWN = 130
WORDS = "150 pictures that ship with hubtl: 130 of Noto's emoji and 20 drawn for it"


def pictures() -> tuple[str, ...]:
    """Return the pictures, those of Noto evenly out of all its groups."""
    found = sorted((EXAMPLES / "noto-emoji").rglob("*.webp"))
    some = (found[number * len(found) // DRAWN] for number in range(DRAWN if found else 0))
    return (*PROBE_INPUTS, *map(str, some))
