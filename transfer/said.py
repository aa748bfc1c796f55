"""What a base says of inputs as it is: asked once, and kept on the shelf of frozen features.

FOLDER/KEY/about.json    what it said, a text for each input that holds something else
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence

from ..registry.rooms import new_room
from .distinct import distinct
from .network import Network
from .trunk import Shelf, key
from .usage import used

SAID = "said"


def said_once(
    network: Network,
    inputs: Sequence[str],
    shelf: Shelf,
    ask: Callable[[Sequence[str]], Sequence[str]],
) -> list[str]:
    """Return what is said of each input: as it was kept, else by `ask` now."""
    listed = distinct(network, inputs)
    name = key(network, listed.digest, None, SAID)
    about = shelf.folder / name / "about.json"
    with contextlib.suppress(FileNotFoundError):
        said = json.loads(about.read_text("utf-8"))
        used(about.parent)
        return [said[listed.numbers[each]] for each in inputs]
    said = list(ask(listed.inputs))
    shelf.folder.mkdir(parents=True, exist_ok=True)
    with new_room(shelf.folder, ".new-") as room:
        (room / "about.json").write_text(json.dumps(said), "utf-8")
        shelf.keep(room, name)
    return [said[listed.numbers[each]] for each in inputs]
