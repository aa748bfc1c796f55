"""The task `token-classification`: which parts of a text are names, and of what type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...transfer.columns import Role
from ...transfer.network import Network
from ...transfer.split import Split, joined
from ..export import Saved
from ..hookspecs import Loading, Task, hookimpl
from ..text.of_texts import OfTexts
from . import LABEL_NAMES
from .text_classification import TEXT_NAMES

if TYPE_CHECKING:
    from ...transfer.goal import Goal

SENTENCES = (".conll", ".bio", ".iob", ".iob2", ".txt", ".tsv")
TOKEN_NAMES = ("tokens", "words")
SPAN_NAMES = ("ner_tags", "tags", "spans", "entities", *LABEL_NAMES)


class TokenClassification(OfTexts):
    """Spans of a text, each of a type."""

    name = "token-classification"
    roles: Sequence[Role] = (
        Role("text", (*TOKEN_NAMES, *TEXT_NAMES), "long", tables=SENTENCES),
        Role("label", SPAN_NAMES, "none"),
    )
    rivals: Mapping[str, str] = {
        "majority": "finding nothing",
        "features": "logistic regression on each word and its neighbours",
    }

    def goal(self, options: Mapping[str, Any]) -> Goal:
        """Return that it is spans."""
        from ...transfer.spans import SPANS

        return SPANS

    def network(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        options: Mapping[str, Any],
    ) -> Network:
        """Return the base with transformers' head for tokens."""
        from ..text.tagger import Tagger

        return Tagger(base, entry, labels, device)

    def baselines(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return the labels of finding nothing, and those of a linear model of words."""
        from ..text.word_features import spans_by_features

        rows = joined(split.train, split.validation)
        return {
            "majority": ["[]"] * len(split.test),
            "features": spans_by_features(rows, split.test, seed),
        }

    def language(self, inputs: Sequence[str]) -> str | None:
        """Return the language of most texts, where more than half tell theirs."""
        from ..text.look import language_of

        return language_of(inputs)

    def snippet(self, folder: Path, loading: Loading) -> str:
        """Return the Python that loads a saved folder without hubtl."""
        from ..text import tagger

        return tagger.snippet(folder, loading)

    def outputs(self, labels: Sequence[str]) -> Sequence[str]:
        """Return the tags that the network has a logit for."""
        from ...transfer.spans import tags_of

        return tags_of(labels)

    def asking(self, folder: Path, base: Path) -> str:
        """Return code that tells what the head sees."""
        from ..text.tagger import SEEN

        return SEEN

    def said_by_base(self, base: Path, inputs: Sequence[str]) -> None:
        """Return that the base has no head of its own for these labels."""

    def merge(self, saved: Saved, out: Path) -> None:
        """Write a saved adapter as a whole model."""
        from ..text import tagger

        tagger.merge(saved, out)

    def other_ways(self, folder: Path, loading: Loading) -> Mapping[str, str]:
        """Return how PEFT's or transformers' own class would load a saved folder."""
        from ..text import tagger

        return tagger.other_ways(folder, loading)


@hookimpl
def register_tasks() -> list[Task]:
    """Offer token classification."""
    return [TokenClassification()]
