"""The method `probe`: a linear head on frozen features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...transfer.network import Network
from ..hookspecs import Learnt, Method, hookimpl
from . import HEAD, HEAD_ABOUT, HEAD_WORDS

if TYPE_CHECKING:
    from ...transfer.start import Session


class Probe:
    """Logistic regression on what the frozen base makes of each input."""

    name = "probe"
    linear = True
    options: Mapping[str, Any] = HEAD
    about: Mapping[str, str] = HEAD_ABOUT
    words = HEAD_WORDS
    validates = False
    frozen = True

    def adapt(self, network: Network, options: Mapping[str, Any], session: Session) -> Learnt:
        """Fit the head on all rows; its strength is chosen by cross-validation among them."""
        from peft import LoraConfig

        from ...transfer.cut import depth
        from ...transfer.layers import first_linear
        from ...transfer.start import start
        from ...transfer.temperature import soften

        begun = start(network, session.all_trained(), options, layer=depth(network))
        # PEFT wants a target: one map with a LoRA of rank 1 that stays zero carries the head.
        carrier = LoraConfig(r=1, lora_alpha=1, target_modules=[first_linear(network.body)])
        network.carry(carrier)
        assert begun.head, "this method is not begun where there are no classes"
        if begun.head.held_out:
            soften(network.head, begun.head.held_out.temperature)
        chosen = {"C": begun.head.strength, "folds": begun.head.folds}
        said = {**options, **chosen}
        return Learnt("a linear head on frozen features", said, held_out=begun.head.held_out)


@hookimpl
def register_methods() -> list[Method]:
    """Offer the probe."""
    return [Probe()]
