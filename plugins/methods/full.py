"""The method `full`: all weights, the head first, drawn back toward the base.

Li et al., "Explicit Inductive Bias for Transfer Learning with Convolutional Networks" (L2-SP), ICML
2018; the average with the base as in Wortsman et al., "Robust Fine-Tuning of Zero-Shot Models"
(WiSE-FT), CVPR 2022, its weight chosen on validation rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...transfer.network import Network
from ..hookspecs import Learnt, Method, hookimpl
from . import HEAD_WORDS, TRAINING, TRAINING_ABOUT

if TYPE_CHECKING:
    from torch import Tensor

    from ...transfer.start import Session

AVERAGES = (1.0, 0.8, 0.6, 0.4)  # the share of what was learned


class Full:
    """All weights of the base, and the head."""

    name = "full"
    linear = False
    options: Mapping[str, Any] = {
        **TRAINING,
        "rate": 5e-5,
        "epochs": 3,
        "layer_decay": 0.9,
        "head_rate": 5.0,
        "pull": 0.001,
        "average": True,
    }
    about: Mapping[str, str] = {
        **TRAINING_ABOUT,
        "pull": "how strongly weights are drawn back to the base (L2-SP); 0 lets them go",
        "average": "average with the base (WiSE-FT), by as much as validation rows like best",
    }
    words = HEAD_WORDS
    validates = True

    def adapt(self, network: Network, options: Mapping[str, Any], session: Session) -> Learnt:
        """Start the head from the probe, train all weights, average with the base if that helps."""
        from ...transfer.deepen import deepen
        from ...transfer.start import start
        from ...transfer.temperature import temper

        begun = start(network, session, options, layer=0)
        base = {name: weight.detach().clone() for name, weight in _weights(network).items()}
        network.release()
        fitted = deepen(begun, options, session)
        share = 1.0
        if options["average"] and session.validation:
            share = _average(network, base, session)
        how = (
            f"all weights, epoch {fitted.best_epoch} of {fitted.epochs} kept, {share:.0%} of the "
            "way from the base"
        )
        said = {**options, "average": share, "best_epoch": fitted.best_epoch}
        return Learnt(how, said, fitted.validated, temper(begun, session), fitted.curves)


def _weights(network: Network) -> dict[str, Tensor]:
    found = dict(network.body.named_parameters())
    return {**found, **{f"head.{n}": w for n, w in network.head.named_parameters()}}


def _average(network: Network, base: Mapping[str, Tensor], session: Session) -> float:
    """Set the weights to the best average of base and result, and return the result's share."""
    import torch

    from ...transfer.feed import Whole, mean_loss

    rows = session.as_rows(session.validation, lambda inputs: Whole(network, inputs))
    learned = {name: weight.detach().clone() for name, weight in _weights(network).items()}

    def set_to(share: float) -> None:
        with torch.no_grad():
            for name, weight in _weights(network).items():
                weight.copy_(base[name].lerp(learned[name], share))

    losses = {}
    for share in AVERAGES:
        set_to(share)
        losses[share] = mean_loss(network, rows)
    best = min(losses, key=lambda share: losses[share])
    set_to(best)
    return best


@hookimpl
def register_methods() -> list[Method]:
    """Offer full fine-tuning."""
    return [Full()]
