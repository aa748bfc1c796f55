"""The method `norm`: the scales and shifts of the layer norms, and the head.

Zhao et al., "Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning", ICLR
2024, as PEFT's LN tuning does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...transfer.network import Network
from ..hookspecs import Learnt, Method, hookimpl
from . import HEAD_WORDS, TRAINING, TRAINING_ABOUT

if TYPE_CHECKING:
    from ...transfer.start import Session


class Norm:
    """The layer norms of the base, and the head."""

    name = "norm"
    linear = False
    options: Mapping[str, Any] = {
        **TRAINING,
        "rate": 2e-3,
        "epochs": 6,
    }
    about: Mapping[str, str] = TRAINING_ABOUT
    words = HEAD_WORDS
    validates = True

    def adapt(self, network: Network, options: Mapping[str, Any], session: Session) -> Learnt:
        """Start the head from the probe, then train it with the layer norms."""
        from peft import LNTuningConfig

        from ...transfer.deepen import deepen
        from ...transfer.layers import layer_norms
        from ...transfer.start import start
        from ...transfer.temperature import temper

        begun = start(network, session, options, layer=0)
        names = layer_norms(network.body)
        network.carry(LNTuningConfig(target_modules=names))
        fitted = deepen(begun, options, session)
        how = f"{len(names)} layer norms, epoch {fitted.best_epoch} of {fitted.epochs} kept"
        said = {**options, "best_epoch": fitted.best_epoch}
        return Learnt(how, said, fitted.validated, temper(begun, session), fitted.curves)


@hookimpl
def register_methods() -> list[Method]:
    """Offer the layer norms."""
    return [Norm()]
