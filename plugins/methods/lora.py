"""The method `lora`: low-rank updates of the linear maps, the head started from the probe.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022; `rslora` as in
Kalajdzievski, 2023 (arXiv 2312.03732), `dora` as in Liu et al., ICML 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...transfer.network import Network
from ..hookspecs import Learnt, Method, hookimpl
from . import HEAD_WORDS, TRAINING, TRAINING_ABOUT, layers_of

if TYPE_CHECKING:
    from ...transfer.start import Session


class Lora:
    """Low-rank updates in the upper layers or in all, and the head."""

    name = "lora"
    linear = False
    options: Mapping[str, Any] = {
        **TRAINING,
        "layers": "half",
        "rank": 8,
        "alpha": 16,
        "dropout": 0.05,
        "rslora": False,
        "dora": False,
        "rate": 5e-4,
        "epochs": 10,
        "steps": 400,
    }
    about: Mapping[str, str] = {
        **TRAINING_ABOUT,
        "layers": "how many get updates, from the top: half, all (none is frozen), or a number",
        "steps": "about how many steps to train, in whole epochs and at least two of them",
        "rank": "of each update",
        "alpha": "updates are scaled by alpha / rank",
        "dropout": "the share of inputs that an update does not see",
        "rslora": "scale by alpha / sqrt(rank) instead, which suits high ranks",
        "dora": "learn how large a map is apart from where it points: slower, at times better",
    }
    words = HEAD_WORDS
    validates = True

    def adapt(self, network: Network, options: Mapping[str, Any], session: Session) -> Learnt:
        """Start the head from the probe, then train it with the updates; keep the best epoch."""
        import torch
        from peft import LoraConfig

        from ...transfer.cut import depth
        from ...transfer.deepen import deepen
        from ...transfer.layers import layer_stack, maps_in
        from ...transfer.start import start
        from ...transfer.temperature import temper

        torch.manual_seed(session.seed)
        whole = depth(network)
        layers = layers_of(options["layers"], whole)
        begun = start(network, session, options, layer=whole - layers)
        stack = layer_stack(network.body)
        maps, unused = _maps(network, session.train[0].input)
        names = [f"{stack}.{n}.{name}" for n in range(whole - layers, whole) for name in maps]
        names += maps_in(network.body, network.above)
        network.carry(
            LoraConfig(
                r=options["rank"],
                lora_alpha=options["alpha"],
                lora_dropout=options["dropout"],
                use_rslora=options["rslora"],
                use_dora=options["dora"],
                target_modules=names if layers < whole or network.above else maps,
            )
        )
        fitted = deepen(begun, options, session)
        how = (
            f"low-rank updates in {layers} of {whole} layers, epoch {fitted.best_epoch} of "
            f"{fitted.epochs} kept; {begun.how}{unused}"
        )
        said = {**options, "layers": layers, "best_epoch": fitted.best_epoch}
        return Learnt(how, said, fitted.validated, temper(begun, session), fitted.curves)


def _maps(network: Network, example: str) -> tuple[list[str], str]:
    """Return the linear maps to update, tried on an input, and what to say of those left out."""
    import torch

    from ...transfer.layers import linear_layers, unused_maps

    maps = linear_layers(network.body)
    network.body.eval()
    with torch.inference_mode():
        batch = network.collate([example])
        unused = unused_maps(network.body, maps, lambda: network.features(batch))
    if not unused:
        return maps, ""
    told = f"; none in {', '.join(unused)}, whose weights the base reads past any update"
    return [each for each in maps if each not in unused], told


@hookimpl
def register_methods() -> list[Method]:
    """Offer LoRA."""
    return [Lora()]
