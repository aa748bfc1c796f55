"""The method `fewshot`: most layers by contrast of all pairs in a batch, then a head.

Contrast first, then a head: Tunstall et al., "Efficient Few-Shot Learning Without Prompts"
(SetFit), 2022, whose pairs go through the network two rows each; here a row goes through once for
all its pairs (Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...registry.errors import BadOption
from ...transfer.network import Network
from ..hookspecs import Learnt, Method, hookimpl
from . import HEAD, HEAD_ABOUT, HEAD_WORDS, TRAINING_ABOUT, label_names, layers_asked
from .last_layers import carry_last, stack_of

if TYPE_CHECKING:
    from ...transfer.start import Session


class Fewshot:
    """Most layers of the base by contrast, and a head on what comes of it."""

    name = "fewshot"
    linear = True
    options: Mapping[str, Any] = {
        **HEAD,
        "layers": "most",
        "rows": 32,
        "layer_decay": 1.0,
        "rate": 1e-4,
        "epochs": 20,
        "steps": 400,
        "temperature": 0.3,
        "strength": 1.0,
        "names": "auto",
    }
    about: Mapping[str, str] = {
        **HEAD_ABOUT,
        **{name: TRAINING_ABOUT[name] for name in ("rate", "layer_decay")},
        "rows": "of a batch, in which every pair teaches",
        "layers": "how many learn, from the top: most (five of six), half, or a number below all",
        "epochs": "at most: how often as many rows are dealt as there are",
        "steps": "about how many steps to train, in whole epochs and at least two of them",
        "temperature": "how sharply the nearest rows are told from others; smaller is sharper",
        "strength": "how little the new head is held back (C of a logistic regression)",
        "names": label_names.ABOUT,
    }
    words: Mapping[str, Sequence[str]] = {**HEAD_WORDS, "names": label_names.WORDS}
    validates = False
    contrasts = True

    def adapt(self, network: Network, options: Mapping[str, Any], session: Session) -> Learnt:
        """Train most layers by contrast on all rows, then fit a head to what they make."""
        import torch

        from ...transfer.contrast import contrast, have_pairs
        from ...transfer.start import start

        plain = session.all_trained()
        session = label_names.with_names(plain, network, options["names"])
        if not have_pairs(session.targets(session.train)):
            raise BadOption(
                "no two rows share a class, so there is nothing to draw together",
                "--recipe probe, or more rows",
            )
        torch.manual_seed(session.seed)
        whole = stack_of(network)
        layers = _layers(options["layers"], whole)
        begun = start(network, session, options, layer=whole - layers)
        carry_last(network, layers, [row.input for row in session.train[:2]])
        fitted = contrast(begun, options, session)
        named = len(session.train) > len(plain.train)
        how = (
            f"the last {layers} of {whole} layers by contrast in {fitted.epochs} epochs"
            f"{', the names of the labels among the rows' if named else ''}, then a head; "
            f"{begun.how}"
        )
        names = "learn" if named else "none"
        said = {**options, "layers": layers, "names": names, "best_epoch": fitted.best_epoch}
        return Learnt(how, said, curves=fitted.curves)


def _layers(asked: object, whole: int) -> int:
    """Return how many layers learn of so many; what the lowest makes of a row is made once."""
    named = {"most": max(1, min(round(whole * 5 / 6), whole - 1)), "half": (whole + 1) // 2}
    if asked in named:
        return named[str(asked)]
    return layers_asked(asked, whole, whole - 1, "most, half", "--recipe full")


@hookimpl
def register_methods() -> list[Method]:
    """Offer contrast."""
    return [Fewshot()]
