"""The task `text-classification`: one label a text, several at once, or a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...transfer.columns import Role
from ...transfer.network import Network
from ...transfer.split import Split, joined
from ..export import Graph, Saved
from ..goals import ABOUT, goal_by, problem_of
from ..hookspecs import Loading, Task, hookimpl
from ..rivals import COMMONEST, MEAN, commonest, mean_of
from ..text.of_texts import OfTexts
from . import LABEL_NAMES

if TYPE_CHECKING:
    from ...transfer.goal import Goal

TEXT_NAMES = (
    "text",
    "sentence",
    "content",
    "description",
    "review",
    "body",
    "message",
    "utterance",
    "comment",
    "question",
    "document",
    "title",
)


class TextClassification(OfTexts):
    """One label a text, several at once, or a number."""

    name = "text-classification"
    roles: Sequence[Role] = (
        Role("text", TEXT_NAMES, "long", files=(".txt", ".md")),
        Role("label", LABEL_NAMES, "few"),
    )
    rivals: Mapping[str, str] = {
        "majority": COMMONEST,
        "tfidf": "TF-IDF + logistic regression",
        "letters": "TF-IDF of letters + linear SVM",
    }
    number_rivals: Mapping[str, str] = {"majority": MEAN, "tfidf": "TF-IDF + ridge regression"}

    options: Mapping[str, Any] = {"several": False, "numbers": False}
    about: Mapping[str, str] = {
        "several": "a text may have several labels at once, written `toys|games`, or `none`",
        "numbers": ABOUT,
    }

    def goal(self, options: Mapping[str, Any]) -> Goal:
        """Return that it is one class, any of several, or a number."""
        return goal_by(options)

    def network(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        options: Mapping[str, Any],
    ) -> Network:
        """Return a sentence encoder where the base is one, or can be read as one; else its own."""
        from ..networks.classifier import Classifier
        from ..text.decoder import Decoder, is_decoder
        from ..text.sentence_encoder import SentenceEncoder, is_sentence_encoder
        from ..text.sequence_classifier import SEQUENCES

        told = problem_of(options)
        if is_sentence_encoder(base):
            return SentenceEncoder(base, entry, labels, device, told)
        if is_decoder(base):
            return Decoder(base, entry, labels, device, told)
        return Classifier(SEQUENCES, base, entry, labels, device, told)

    def baselines(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return the labels that the commonest-label rival and those of TF-IDF give test rows."""
        from ..text.tfidf import letters_labels, tfidf_labels

        rows = joined(split.train, split.validation)
        return {
            "majority": commonest(rows, split.test),
            "tfidf": tfidf_labels(rows, split.test, seed),
            "letters": letters_labels(split, seed),
        }

    def estimates(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return the numbers of the mean of training labels and of TF-IDF for the test rows."""
        from ..text.tfidf import tfidf_numbers

        rows = joined(split.train, split.validation)
        return {
            "majority": mean_of(rows, split.test),
            "tfidf": tfidf_numbers(rows, split.test, seed),
        }

    def language(self, inputs: Sequence[str]) -> str | None:
        """Return the language of most texts, where more than half tell theirs."""
        from ..text.look import language_of

        return language_of(inputs)

    def snippet(self, folder: Path, loading: Loading) -> str:
        """Return the Python that loads a saved folder without hubtl."""
        from ..text import sentence_encoder, sequence_classifier

        if (folder / "modules.json").is_file():
            return sentence_encoder.snippet(folder, loading)
        return sequence_classifier.snippet(folder, loading)

    def asking(self, folder: Path, base: Path) -> str:
        """Return code that tells what the head sees."""
        from ..networks.seen import WATCHED
        from ..text import sentence_encoder

        return sentence_encoder.KEPT if (folder / "modules.json").is_file() else WATCHED

    def said_by_base(self, base: Path, inputs: Sequence[str]) -> None:
        """Return that the base has no head of its own for these labels."""

    def merge(self, saved: Saved, out: Path) -> None:
        """Write a saved adapter as a whole model."""
        from ..networks import classifier
        from ..text import sentence_encoder
        from ..text.sequence_classifier import SEQUENCES

        if (saved.folder / "modules.json").is_file():
            sentence_encoder.merge(saved, out)
        else:
            classifier.merge(SEQUENCES.auto, saved, out)

    def graph(self, folder: Path, loading: Loading) -> Graph:
        """Return the network of a whole folder."""
        from ..text import graphs

        return graphs.graph(folder, loading)

    def other_ways(self, folder: Path, loading: Loading) -> Mapping[str, str]:
        """Return how sentence-transformers, or PEFT's own class, would load a saved folder."""
        from ..text import sentence_encoder, sequence_classifier

        if (folder / "modules.json").is_file():
            code = sentence_encoder.WAY_CODE.format(address=loading.address)
            return {sentence_encoder.WAY: code}
        return sequence_classifier.other_ways(folder, loading)


@hookimpl
def register_tasks() -> list[Task]:
    """Offer text classification."""
    return [TextClassification()]
