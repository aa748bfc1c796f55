"""Public clips of many kinds that ship with hubtl, to measure retention by."""

import csv

from ..demos import EXAMPLES
from .probe_inputs import PROBE_INPUTS

SPOKEN = 100
WORDS = (
    "120 clips that ship with hubtl: 100 letters and numbers by six voices in four languages, and "
    "20 sounds made for it"
)
SENTENCES = EXAMPLES / "spoken-sentences"
SENTENCES_WORDS = "16 English sentences of one voice on the telephone that ship with hubtl"


def clips() -> tuple[str, ...]:
    """Return the clips, those that are spoken evenly out of all voices."""
    found = sorted((EXAMPLES / "letters-and-numbers").rglob("*.ogg"))
    some = (found[number * len(found) // SPOKEN] for number in range(SPOKEN if found else 0))
    return (*PROBE_INPUTS, *map(str, some))


def sentences() -> list[tuple[str, str]]:
    """Return each spoken sentence as a clip and its text."""
    with (SENTENCES / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return [(str(SENTENCES / row["file_name"]), row["text"]) for row in csv.DictReader(file)]
