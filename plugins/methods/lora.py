"""The method `lora`: low-rank updates of the linear maps, the head started from the probe.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022; started from a linear
probe as in Kumar et al., "Fine-Tuning can Distort Pretrained Features", ICLR 2022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...transfer.features import Progress
from ...transfer.network import Network
from ...transfer.split import Example
from ..hookspecs import Learnt, Method, hookimpl
from .probe import start_head


class Lora:
    """Low-rank updates in every layer, and the head."""

    name = "lora"
    options: Mapping[str, Any] = {
        "rank": 8,
        "alpha": 16,
        "dropout": 0.05,
        "rate": 5e-4,
        "rows": 16,
        "epochs": 10,
        "patience": 2,
        "folds": 5,
    }
    validates = True

    def adapt(
        self,
        network: Network,
        train: Sequence[Example],
        validation: Sequence[Example],
        labels: Sequence[str],
        options: Mapping[str, Any],
        *,
        seed: int,
        progress: Progress,
    ) -> Learnt:
        """Start the head from the probe, then train it with the updates; keep the best epoch."""
        import torch
        from peft import LoraConfig

        from ...transfer.fit import Schedule, fit
        from ...transfer.layers import linear_layers

        torch.manual_seed(seed)
        network.carry(
            LoraConfig(
                r=options["rank"],
                lora_alpha=options["alpha"],
                lora_dropout=options["dropout"],
                target_modules=linear_layers(network.body),
            )
        )
        start_head(network, train, labels, folds=options["folds"], seed=seed, progress=progress)
        numbers = {label: number for number, label in enumerate(labels)}
        fitted = fit(
            network,
            ([row.input for row in train], [numbers[row.label] for row in train]),
            ([row.input for row in validation], [numbers[row.label] for row in validation]),
            Schedule(options["epochs"], options["rows"], options["rate"], options["patience"]),
            seed=seed,
            progress=progress,
        )
        how = f"low-rank updates, epoch {fitted.best_epoch} of {fitted.epochs} kept"
        return Learnt(how, {**options, "best_epoch": fitted.best_epoch})


@hookimpl
def register_methods() -> list[Method]:
    """Offer LoRA."""
    return [Lora()]
