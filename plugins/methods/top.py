"""The method `top`: the head first, then the last layers with it, from a cut in the frozen part.

Kumar et al., "Fine-Tuning can Distort Pretrained Features", ICLR 2022; layer-wise rates as in
Howard and Ruder, "Universal Language Model Fine-tuning for Text Classification", ACL 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...transfer.network import Network
from ..hookspecs import Learnt, Method, hookimpl
from . import HEAD_WORDS, TRAINING, TRAINING_ABOUT, layers_asked

if TYPE_CHECKING:
    from ...transfer.start import Session

FEW, SOME = 500, 2000  # rows below which one layer is enough, and two


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
        "layers": "how many, from the top: a number; auto, by the number of rows; or probe, those "
        "above the layer whose output tells the classes apart best",
    }
    words = HEAD_WORDS
    validates = False

    def adapt(self, network: Network, options: Mapping[str, Any], session: Session) -> Learnt:
        """Start the head from the probe, then train it with the last layers."""
        from peft import LoraConfig

        from ...transfer.cut import depth
        from ...transfer.deepen import deepen
        from ...transfer.layers import first_linear, layer_stack
        from ...transfer.layerwise import losses_by_layer
        from ...transfer.start import start

        whole = depth(network)
        layers = _count(options["layers"], session.count, whole)
        if layers is None:
            losses = losses_by_layer(network, session, options["folds"])
            layers = max(1, whole - 1 - losses.index(min(losses)))
        begun = start(network, session, options, layer=whole - layers)
        stack = layer_stack(network.body)
        last = [f"{stack}.{number}" for number in range(whole - layers, whole)]
        for name in network.above:
            last += [f"{name}.{n}" for n, _ in network.body.get_submodule(name).named_children()]
        carrier = LoraConfig(r=1, lora_alpha=1, target_modules=[first_linear(network.body)])
        network.carry(carrier, last)
        _freeze_carrier(network)
        fitted = deepen(begun, options, session)
        how = (
            f"the head, then the last {layers} of {whole} layers, epoch {fitted.best_epoch} of "
            f"{fitted.epochs} kept; {begun.how}"
        )
        return Learnt(
            how, {**options, "layers": layers, "best_epoch": fitted.best_epoch}, fitted.validated
        )


def _count(asked: object, rows: int, whole: int) -> int | None:
    """Return how many layers to train: as asked, else by the number of rows; None to probe them."""
    if asked == "probe":
        return None
    if asked == "auto":
        wanted = 1 if rows < FEW else 2 if rows < SOME else max(2, whole // 3)
        return min(wanted, whole - 1)
    return layers_asked(asked, whole, whole - 1, "auto, probe", "--recipe full")


def _freeze_carrier(network: Network) -> None:
    """Keep the LoRA that only carries the layers at zero."""
    for name, weight in network.body.named_parameters():
        if "lora_" in name:
            weight.requires_grad_(False)


@hookimpl
def register_methods() -> list[Method]:
    """Offer the last layers."""
    return [Top()]
