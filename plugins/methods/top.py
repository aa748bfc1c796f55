"""The method `top`: the head first, then the last layers with it, from a cut in the frozen part.

Kumar et al., "Fine-Tuning can Distort Pretrained Features", ICLR 2022; layer-wise rates as in
Howard and Ruder, "Universal Language Model Fine-tuning for Text Classification", ACL 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...registry.errors import BadData, BadOption
from ...transfer.network import Network
from ..hookspecs import Learnt, Method, hookimpl
from . import HEAD_WORDS, TRAINING, TRAINING_ABOUT, layers_asked
from .last_layers import carry_last, stack_of

if TYPE_CHECKING:
    from ...transfer.start import Session

FEW = 500  # rows below which a smaller share is enough
SMALLER, LARGER = 6, 3  # a sixth and a third of the work that the stack does on a row


class Top:
    """The last layers of the base, and the head."""

    name = "top"
    linear = False
    options: Mapping[str, Any] = {
        **TRAINING,
        "layers": "auto",
        "rate": 1e-4,
        "epochs": 2,
        "layer_decay": 0.8,
        "head_rate": 5.0,
    }
    about: Mapping[str, str] = {
        **TRAINING_ABOUT,
        "layers": "how many, from the top: a number; auto, those doing a third of all work, "
        "or a sixth where rows are few; or probe, those above the layer whose output tells the "
        "classes apart best",
    }
    words = HEAD_WORDS
    validates = False

    def adapt(self, network: Network, options: Mapping[str, Any], session: Session) -> Learnt:
        """Start the head from the probe, then train it with the last layers."""
        from ...transfer.cut import depth
        from ...transfer.deepen import deepen
        from ...transfer.start import start
        from ...transfer.temperature import temper

        whole = depth(network)
        some = [row.input for row in session.train[:2]]
        layers, probed = _layers(network, session, options, some)
        begun = start(network, session, options, layer=whole - layers)
        carry_last(network, layers, some)
        fitted = deepen(begun, options, session)
        how = (
            f"the head, then the last {layers} of {whole} layers, epoch {fitted.best_epoch} of "
            f"{fitted.epochs} kept; {begun.how}"
        )
        said = {**options, "layers": layers, "best_epoch": fitted.best_epoch}
        held_out = temper(begun, session)
        return Learnt(how, said, fitted.validated, held_out, fitted.curves, probed)


def _layers(
    network: Network, session: Session, options: Mapping[str, Any], some: Sequence[str]
) -> tuple[int, Sequence[float]]:
    """Return how many layers to train, and the loss of a probe on each if that chose them.

    Raises BadOption where there aren't so many above others.
    """
    from ...transfer.cut import Uncut
    from ...transfer.layers import work_by_layer
    from ...transfer.layerwise import losses_by_layer

    whole = stack_of(network)
    if options["layers"] == "probe":
        try:
            losses = losses_by_layer(network, session, options["folds"])
        except (Uncut, BadData) as error:
            raise BadOption(f"no layer can be probed: {error}", "--set layers=auto") from error
        return max(1, whole - 1 - losses.index(min(losses))), losses
    if options["layers"] == "auto":
        share = SMALLER if session.count < FEW else LARGER
        return last_layers(work_by_layer(network, some), share), ()
    return layers_asked(options["layers"], whole, whole - 1, "auto, probe", "--recipe full"), ()


def last_layers(work: Sequence[int], share: int) -> int:
    """Return how many layers, from the top and never all, do one part in `share` of the work."""
    layers = 1
    while share * sum(work[-layers:]) < sum(work):
        layers += 1
    return min(layers, len(work) - 1)


@hookimpl
def register_methods() -> list[Method]:
    """Offer the last layers."""
    return [Top()]
