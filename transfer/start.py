"""Where training starts: the frozen part run once, the head a probe on it, and the cut to go from.

The head first, then the layers: Kumar et al., "Fine-Tuning can Distort Pretrained Features and
Underperform Out-of-Distribution", ICLR 2022.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .checkpoint import Checkpoint
from .choices import Choices
from .cut import Cut, Fed, Uncut, cut_at, depth
from .features import Labelled
from .feed import Feed, FromCut, Rows, Whole
from .fit import never
from .goal import ONE_CLASS, Goal
from .meter import Meter
from .network import Network, batches
from .placed import Placed
from .precision import faster
from .probe import LinearHead, balanced
from .progress import Progress, silent
from .split import Example, joined
from .trunk import ROWS, Shelf, Trunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Session:
    """What a method works with: rows, their labels, a seed, and places for what it makes.

    `choices` are what clock and memory decide, each once; `meter` is told how long the stages take;
    `stop` is asked after each step of training whether to end there. `sampled_from` is how many
    rows there are to train on where `train` is only a sample of them, to try on. What is frozen is
    made of all rows of `among` at once, if there are any, so that any part of them finds its own.
    """

    train: Sequence[Example]
    validation: Sequence[Example]
    labels: Sequence[str]
    seed: int
    shelf: Shelf
    progress: Progress = silent
    checkpoint: Checkpoint | None = None
    choices: Choices = field(default_factory=Choices)
    meter: Meter = field(default_factory=Meter)
    stop: Callable[[int], bool] = never
    sampled_from: int | None = None
    goal: Goal = ONE_CLASS
    among: Sequence[Example] = ()

    @property
    def inputs(self) -> list[str]:
        """All inputs that features are made of and kept together."""
        rows = self.among or (*self.train, *self.validation)
        return [row.input for row in rows]

    @property
    def count(self) -> int:
        """How many rows there are to train on, by which a method may choose what to do."""
        return self.sampled_from or len(self.train)

    def all_trained(self) -> Session:
        """Return a session that trains on the validation rows too."""
        return replace(self, train=joined(self.train, self.validation), validation=())

    def targets(self, rows: Sequence[Example]) -> NDArray[Any]:
        """Return the labels of rows as numbers: [rows], or [rows, labels]."""
        return self.goal.targets([row.label for row in rows], self.labels)

    def groups(self, rows: Sequence[Example]) -> NDArray[np.int64] | None:
        """Return a number for the group of each row, or None where rows have no groups."""
        import numpy as np

        numbers: dict[str, int] = {}
        found = [numbers.setdefault(row.group, len(numbers)) for row in rows]
        return np.array(found) if len(numbers) > 1 else None

    def as_rows(self, rows: Sequence[Example], feed: Callable[[Sequence[str]], Feed]) -> Rows:
        """Return rows as training takes them."""
        return Rows(feed([row.input for row in rows]), self.targets(rows), self.goal)

    def precision(self, asked: str, network: Network) -> str:
        """Return the precision to fit with: the one asked for, or for `auto` the faster one."""
        if asked == "auto":
            inputs = [row.input for row in self.train]
            return self.choices.once("precision", lambda: faster(network, inputs))
        return asked


@dataclass(frozen=True, slots=True)
class Start:
    """A network whose head is a probe, and how its rows are fed to training."""

    network: Network
    trunk: Trunk
    head: LinearHead | None  # none where none is fitted, as where there are no classes
    precision: str
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


def start(network: Network, session: Session, options: Mapping[str, Any], *, layer: int) -> Start:
    """Return the network with its head fitted on frozen features, to be trained from a layer.

    `layer` 0 trains all of it, so nothing is frozen; the number of layers trains the head alone. A
    trunk that is kept from another recipe serves if it was cut at this layer or below. Of the
    options it takes `folds`, `precision` and `class_weights`.
    """
    inputs = session.inputs
    precision = session.precision(options["precision"], network)
    cut, why = _cut(network, layer, inputs, session, precision)
    trunk = _trunk(network, inputs, session, precision, cut)
    head = None
    if session.labels and not session.goal.given:
        rows = trunk.rows_of([row.input for row in session.train])
        if session.goal.whole:
            assert trunk.pooled is not None, "a linear head sees one row of each input"
            head = fit_head_to(trunk.pooled, rows, network, session, options)
        else:
            head = _fit_placed(trunk, rows, network, session, options)
    return Start(network, trunk, head, precision, why)


def fit_head_to(
    features: NDArray[np.float32],
    rows: NDArray[np.int64],
    network: Network,
    session: Session,
    options: Mapping[str, Any],
    strengths: Sequence[float] | None = None,
) -> LinearHead:
    """Fit the network's head to features of the rows to train on, and return it.

    `rows` are their numbers among all rows that there are features of.
    """
    some = _labelled(features, rows, session, weights_of(session, options["class_weights"]))
    return _put_head(some, network, session, options, strengths)


def _fit_placed(
    trunk: Trunk,
    rows: NDArray[np.int64],
    network: Network,
    session: Session,
    options: Mapping[str, Any],
) -> LinearHead:
    """Fit the head to the places of the rows to train on, as far as they are kept."""
    import torch

    goal = session.goal
    assert isinstance(goal, Placed) and trunk.placed, "the head is asked of places"
    weights = torch.as_tensor(weights_of(session, options["class_weights"]))
    each = goal.by_output(weights, len(goal.outputs(session.labels))).numpy()
    targets, groups = session.targets(session.train), session.groups(session.train)
    some = trunk.placed.labelled(goal, rows, targets, each, groups)
    return _put_head(some, network, session, options)


def _put_head(
    some: Labelled,
    network: Network,
    session: Session,
    options: Mapping[str, Any],
    strengths: Sequence[float] | None = None,
) -> LinearHead:
    """Fit a head to labelled rows, put it into the network, and return it."""
    import torch

    session.progress("fitting the head", 0, 1)
    with session.meter.stage("head", len(some)):
        more = {"strengths": strengths} if strengths else {}  # a plugin's goal may be of before
        head = session.goal.fit_head(
            some, len(session.labels), folds=options["folds"], seed=session.seed, **more
        )
    session.progress("fitting the head", 1, 1)
    with torch.no_grad():
        network.head.weight.copy_(head.weight)
        network.head.bias.copy_(head.bias)
    return head


def features(network: Network, inputs: Sequence[str], session: Session) -> Tensor:
    """Return what the frozen network's head would see of inputs, [inputs, features], in fp32.

    What is kept from before is not made again.
    """
    import torch

    trunk = frozen(network, inputs, session)
    assert trunk.pooled is not None, "only a network of one row a input is asked"
    return torch.from_numpy(trunk.pooled[trunk.rows_of(inputs)])


def frozen(
    network: Network,
    inputs: Sequence[str],
    session: Session,
    look: Sequence[str] = (),
    most: int = 0,
) -> Trunk:
    """Return what the frozen network makes of inputs, in fp32; kept from before, or made now.

    If it is made now, layers are looked at by so many inputs of `look`.
    """
    shelf = session.shelf
    return shelf.find(network, inputs, None) or shelf.make(
        network, inputs, None, session.progress, meter=session.meter, look=look, most=most
    )


def _trunk(
    network: Network, inputs: Sequence[str], session: Session, precision: str, cut: Cut | None
) -> Trunk:
    shelf = session.shelf
    return shelf.find(network, inputs, cut, precision) or shelf.make(
        network, inputs, cut, session.progress, precision, session.meter
    )


def _labelled(
    features: NDArray[np.float32],
    rows: NDArray[np.int64],
    session: Session,
    weights: NDArray[np.float64],
) -> Labelled:
    """Return the session's rows to train on, as a head is fitted to them."""
    import torch

    targets = session.targets(session.train)
    groups = session.groups(session.train)
    counts = session.goal.weighs(targets, torch.as_tensor(weights)).numpy()
    return Labelled(features, rows, targets, counts, groups)


def weights_of(session: Session, class_weights: str) -> NDArray[np.float64]:
    """Return how much each class counts: as much as the others, or as much as it is rare."""
    import numpy as np

    if class_weights == "balanced":
        return balanced(session.goal.counts(session.targets(session.train), len(session.labels)))
    return np.ones(len(session.labels))


def _cut(
    network: Network, layer: int, inputs: Sequence[str], session: Session, precision: str
) -> tuple[Cut | None, str]:
    """Return where to cut, or None and why not."""
    if layer <= 0:
        return None, "all layers are trained"
    if layer >= depth(network):
        return None, ""
    sizes = network.sizes(inputs)
    first = next(batches(sizes, ROWS // 4, alike=network.alike))
    longest = [inputs[number] for number in first]

    def choose() -> int:
        """Return the layer that is kept already, or this one if its states fit, else 0."""
        kept = session.shelf.serving(network, inputs, layer, precision)
        return kept or (layer if session.shelf.fits(cut.bytes_of(sizes)) else 0)

    try:
        cut = cut_at(network, layer, longest)
        chosen = session.choices.once(f"cut for layer {layer}", choose)
        if not chosen:
            limit = session.shelf.limit / 1e9
            return None, f"what it makes of all rows is more than {limit:.0f} GB"
        return cut if chosen == layer else cut_at(network, chosen, longest), ""
    except Uncut as error:
        return None, str(error)
