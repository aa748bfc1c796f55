"""Where training starts: the frozen part run once, the head a probe on it, and the cut to go from.

The head first, then the layers: Kumar et al., "Fine-Tuning can Distort Pretrained Features and
Underperform Out-of-Distribution", ICLR 2022.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .checkpoint import Checkpoint
from .cut import Cut, Fed, Uncut, cut_at, depth
from .feed import Feed, FromCut, Whole
from .fit import Rows
from .network import Network
from .probe import LinearHead, fit_head
from .progress import Progress
from .split import Example
from .trunk import ROWS, Shelf, Trunk


@dataclass(frozen=True, slots=True)
class Session:
    """What a method works with: rows, their labels, a seed, and places for what it makes."""

    train: Sequence[Example]
    validation: Sequence[Example]
    labels: Sequence[str]
    seed: int
    progress: Progress
    shelf: Shelf
    checkpoint: Checkpoint | None = None

    def all_trained(self) -> Session:
        """Return a session that trains on the validation rows too."""
        return replace(self, train=(*self.train, *self.validation), validation=())

    def targets(self, rows: Sequence[Example]) -> list[int]:
        """Return the class number of each row."""
        numbers = {label: number for number, label in enumerate(self.labels)}
        return [numbers[row.label] for row in rows]

    def as_rows(self, rows: Sequence[Example], feed: Callable[[Sequence[str]], Feed]) -> Rows:
        """Return rows as training takes them."""
        return Rows(feed([row.input for row in rows]), self.targets(rows))


@dataclass(frozen=True, slots=True)
class Start:
    """A network whose head is a probe, and how its rows are fed to training."""

    network: Network
    trunk: Trunk
    head: LinearHead
    why_whole: str  # why rows go through the whole network each time; empty where they do not

    @property
    def how(self) -> str:
        """One line on where training starts, for the card."""
        if self.trunk.cut and not self.why_whole:
            layers = depth(self.network)
            return f"the lower {self.trunk.cut.layer} of {layers} layers ran once for each row"
        return f"each row went through the whole network ({self.why_whole})"

    @contextlib.contextmanager
    def feeds(self) -> Iterator[Callable[[Sequence[str]], Feed]]:
        """Give what makes a feed of inputs, for as long as training takes."""
        if self.why_whole or self.trunk.cut is None:
            yield lambda inputs: Whole(self.network, inputs)
            return
        with Fed(self.network, self.trunk.cut) as fed:
            yield lambda inputs: FromCut(fed, self.trunk, inputs)


def start(network: Network, session: Session, *, layer: int, folds: int) -> Start:
    """Return the network with its head fitted on frozen features, to be trained from a layer.

    `layer` 0 trains all of it, so nothing is frozen; the number of layers trains the head alone. A
    trunk that is kept from another recipe serves if it was cut at this layer or below.
    """
    import torch

    inputs = [row.input for row in (*session.train, *session.validation)]
    cut, why = _cut(network, layer, inputs, session)
    trunk = frozen(network, inputs, session, cut)
    head = fit_head(
        trunk.pooled_of([row.input for row in session.train]),
        session.targets(session.train),
        len(session.labels),
        folds=folds,
        seed=session.seed,
    )
    with torch.no_grad():
        network.head.weight.copy_(head.weight)
        network.head.bias.copy_(head.bias)
    return Start(network, trunk, head, why)


def frozen(
    network: Network, inputs: Sequence[str], session: Session, cut: Cut | None = None
) -> Trunk:
    """Return what the frozen network makes of inputs: kept from before, or made and kept now."""
    found = session.shelf.find(network, inputs, cut)
    return found or session.shelf.make(network, inputs, cut, session.progress)


def _cut(
    network: Network, layer: int, inputs: Sequence[str], session: Session
) -> tuple[Cut | None, str]:
    """Return where to cut, or None and why not."""
    if layer <= 0:
        return None, "all layers are trained"
    if layer >= depth(network):
        return None, ""
    longest = sorted(set(inputs), key=len)[-ROWS // 4 :]
    try:
        cut = cut_at(network, layer, longest)
    except Uncut as error:
        return None, str(error)
    if session.shelf.find(network, inputs, cut):
        return cut, ""
    width = int(network.head.in_features)
    if not session.shelf.fits(network, inputs, width):
        return None, f"what it makes of all rows is more than {session.shelf.limit / 1e9:.0f} GB"
    return cut, ""
