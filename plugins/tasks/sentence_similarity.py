"""The task `sentence-similarity`: how alike two texts are, by the cosine of their vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...transfer.columns import Role
from ...transfer.network import Network
from ...transfer.split import Split, joined
from ..check import Look
from ..completing import Completed
from ..export import Saved
from ..hookspecs import Loading, Task, hookimpl
from ..related import Measured
from ..retaining import Probes
from ..text.of_texts import OfTexts
from ..text.pairs import KEYS, pair_of, texts_of
from ..text.probe_inputs import PROBE_INPUTS

if TYPE_CHECKING:
    from ...transfer.goal import Goal
    from ...transfer.table import Table

FIRST = (
    *("sentence1", "sentence_1", "sentence_a", "text1", "text_1", "text_a", "first"),
    *("anchor", "query", "question"),
)
SECOND = (
    *("sentence2", "sentence_2", "sentence_b", "text2", "text_2", "text_b", "second"),
    *("positive", "answer", "passage"),
)
SCORES = ("score", "similarity", "similarity_score", "relatedness_score", "relatedness", "label")


class SentenceSimilarity(OfTexts):
    """How alike two texts are."""

    name = "sentence-similarity"
    roles: Sequence[Role] = (
        Role(
            "pair",
            (),
            "row",
            parts=(Role(KEYS[0], FIRST, "none"), Role(KEYS[1], SECOND, "none")),
        ),
        Role("score", SCORES, "none"),
    )
    probe_inputs: Sequence[str] = tuple(pair_of(*both) for both in pairwise(PROBE_INPUTS))
    rivals: Mapping[str, str] = {
        "base": "the base as it is",
        "tfidf": "the cosine of TF-IDF of words",
        "letters": "the cosine of TF-IDF of runs of 3 to 5 letters",
    }
    number_rivals = rivals
    recipe, recipe_why = "lora", "cosines have no head that a probe could fit"

    def goal(self, options: Mapping[str, Any]) -> Goal:
        """Return that it is a score, which a cosine follows."""
        from ...transfer.cosine import COSINES

        return COSINES

    def completed(self, table: Table, columns: Mapping[str, str]) -> Completed:
        """Return a table whose pairs have scores: pairs alone get others beside."""
        from ..text.unscored import with_scores

        pair, score = self.roles
        return with_scores(table, pair.parts, score, columns)

    def network(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        options: Mapping[str, Any],
    ) -> Network:
        """Return a sentence encoder that is given two texts; raises BadOption for another base."""
        from ..text.pairs import PairEncoder

        return PairEncoder(base, entry, labels, device)

    def baselines(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return what the base as it is says of the test rows, and what TF-IDF says."""
        from ..text.pairs import cosines_by
        from ..text.tfidf import tfidf_cosines

        goal, inputs = self.goal(self.options), [row.input for row in split.test]
        learnt = [row.input for row in joined(split.train, split.validation)]
        texts = [text for part in texts_of(learnt) for text in part]
        said = {
            "base": cosines_by(base, inputs),
            **tfidf_cosines(texts, *texts_of(inputs)),
        }
        return {name: list(map(goal.said, each)) for name, each in said.items()}

    def estimates(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return the same: scores are numbers."""
        return self.baselines(split, seed, base)

    def look(self, inputs: Sequence[str]) -> Look:
        """Return the two texts of each input as one, for checking them."""
        return super().look(_whole(inputs))

    def language(self, inputs: Sequence[str]) -> str | None:
        """Return the language of most texts, where more than half tell theirs."""
        from ..text.look import language_of

        return language_of(_whole(inputs))

    def related(self, base: Path, inputs: Sequence[str]) -> Measured | None:
        """Return the share of words that the base's tokenizer keeps whole."""
        return super().related(base, _whole(inputs))

    def retention_probes(self, base: Path) -> Probes:
        """Return sentences of many kinds, each beside itself."""
        probes = super().retention_probes(base)
        return Probes(probes.words, [pair_of(text, text) for text in probes.inputs])

    def snippet(self, folder: Path, loading: Loading) -> str:
        """Return the Python that loads a saved folder without hubtl."""
        from ..text import pairs

        return pairs.snippet(folder, loading)

    def asking(self, folder: Path, base: Path) -> str:
        """Return code that tells what the head sees: the vectors of both texts."""
        from ..text.pairs import KEPT

        return KEPT

    def said_by_base(self, base: Path, inputs: Sequence[str]) -> None:
        """Return that the base has no head of its own."""

    def merge(self, saved: Saved, out: Path) -> None:
        """Write a saved adapter as a whole model."""
        from ..text import sentence_encoder

        sentence_encoder.merge(saved, out)

    def other_ways(self, folder: Path, loading: Loading) -> Mapping[str, str]:
        """Return how sentence-transformers would load a saved folder."""
        from ..text import pairs

        return {pairs.WAY: pairs.WAY_CODE.format(address=loading.address)}


def _whole(inputs: Sequence[str]) -> list[str]:
    """Return the two texts of each input as one."""
    return [f"{first}\n{second}" for first, second in zip(*texts_of(inputs), strict=True)]


@hookimpl
def register_tasks() -> list[Task]:
    """Offer how alike texts are."""
    return [SentenceSimilarity()]
