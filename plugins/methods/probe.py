"""The method `probe`: a linear head on frozen features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...transfer.features import Progress, trunk_features
from ...transfer.network import Network
from ...transfer.split import Example
from ..hookspecs import Learnt, Method, hookimpl


def start_head(
    network: Network,
    rows: Sequence[Example],
    labels: Sequence[str],
    *,
    folds: int,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Set the network's head to the cross-validated probe; return its C and the folds used."""
    import torch

    from ...transfer.probe import fit_head

    features = trunk_features(network, [row.input for row in rows], progress=progress)
    targets = [labels.index(row.label) for row in rows]
    found = fit_head(features, targets, len(labels), folds=folds, seed=seed)
    with torch.no_grad():
        network.head.weight.copy_(found.weight)
        network.head.bias.copy_(found.bias)
    return {"C": found.strength, "folds": found.folds}


class Probe:
    """Logistic regression on what the frozen base makes of each input."""

    name = "probe"
    options: Mapping[str, Any] = {"folds": 5}
    validates = False

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
        """Fit the head on all rows; its strength is chosen by cross-validation among them."""
        import torch
        from peft import LoraConfig

        from ...transfer.layers import first_linear

        rows = (*train, *validation)
        torch.manual_seed(seed)
        # PEFT wants a target: one map with a LoRA of rank 1 that stays zero carries the head.
        network.carry(LoraConfig(r=1, lora_alpha=1, target_modules=[first_linear(network.body)]))
        chosen = start_head(
            network, rows, labels, folds=options["folds"], seed=seed, progress=progress
        )
        return Learnt("a linear head on frozen features", {**options, **chosen})


@hookimpl
def register_methods() -> list[Method]:
    """Offer the probe."""
    return [Probe()]
