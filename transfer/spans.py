"""Labels that are spans of an input, each of a type, written as `[[0,5,"PER"],[9,14,"LOC"]]`.

A span is right where its type and both its ends are, as in CoNLL's shared tasks: Tjong Kim Sang and
De Meulder, "Introduction to the CoNLL-2003 Shared Task", 2003; the figures are those of seqeval.
"""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .features import Labelled
from .goal import NEAR_TIE, Goal
from .measure import Metric
from .placed import NONE, apart
from .probe import STRENGTHS, LinearHead, fit_head
from .written_spans import as_triple, from_tags, input_of, spans_of, written

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from .network import Network

KNOWN = 1 << 16  # labels and pairs of them that are read once
OUTSIDE = "O"  # the tag of what is in no span


class Spans(Goal):
    """Spans of any of several types, which don't overlap.

    The head gives each place of an input a tag: `O`, or for each type `B-` where a span begins and
    `I-` where it goes on. Logits of a row are what its tags are like: the log probability of the
    least likely, by how much the least sure is ahead, and the mean logit of each tag.
    """

    metrics: Mapping[str, Metric]
    whole = False
    worst_by = "spans missed or made up"

    def __init__(self) -> None:
        self.metrics = {"f1": _f1, "macro_f1": _macro_f1, "precision": _precision}
        self.metrics = {**self.metrics, "recall": _recall}

    def input(self, cell: str) -> str:
        """Return the text that a cell means: itself, or a list of tokens with spaces between."""
        return input_of(cell)

    def row(self, input: str, label: str, *, one: bool = False) -> tuple[str, str]:
        """Return the text and the label that two cells mean; raises ValueError with what not."""
        return spans_of(input, label)

    def read(self, cell: str) -> str:
        """Return the label that a cell means by itself, for a text of any length."""
        return written(as_triple(each) for each in json.loads(cell))

    def classes(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return all types that spans have, sorted."""
        return tuple(sorted({kind for label in labels for _, _, kind in parts(label)}))

    def outputs(self, classes: Sequence[str]) -> tuple[str, ...]:
        """Return the tags that the head has a logit for."""
        return tags_of(classes)

    def by_output(self, weights: Tensor, outputs: int) -> Tensor:
        """Return a weight for each tag, given one for each type; what is in no span weighs 1."""
        import torch

        if len(weights) == outputs:
            return weights
        return torch.cat([weights.new_ones(1), weights.repeat_interleave(2)])

    def shown(self, label: str) -> Any:
        """Return a list of `{start, end, label}`."""
        return [dict(zip(("start", "end", "label"), each, strict=True)) for each in parts(label)]

    def said(self, answer: Any) -> str:
        """Return a list of `{start, end, label}` as one text."""
        return written((each["start"], each["end"], each["label"]) for each in answer)

    def scores(self, logits: Sequence[float], classes: Sequence[str]) -> dict[str, float]:
        """Return nothing: a row has no one class."""
        return {}

    def sure(self, label: str, logits: Sequence[float], classes: Sequence[str]) -> float:
        """Return how probable the tag is of which it is least sure."""
        return math.exp(min(0.0, logits[0]))

    def wrong(
        self, true: str, label: str, logits: Sequence[float], classes: Sequence[str]
    ) -> float:
        """Return how many spans are missed or made up."""
        return float(len(set(parts(true)) ^ set(parts(label))))

    def ties(self, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where one of the tags is ahead of another by less than 1e-4."""
        return np.asarray(logits[:, 1] < NEAR_TIE)

    def targets(self, labels: Sequence[str], classes: Sequence[str]) -> NDArray[Any]:
        """Return for each label a tuple of (start, end, number of the tag it begins with)."""
        firsts = {kind: 1 + 2 * number for number, kind in enumerate(classes)}
        found = np.empty(len(labels), object)
        for row, label in enumerate(labels):
            found[row] = tuple((start, end, firsts[kind]) for start, end, kind in parts(label))
        return found

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """Return how many rows have each type."""
        there = Counter(number for spans in targets for number in {first for *_, first in spans})
        return np.array([there[1 + 2 * number] for number in range(classes)], np.int64)

    def fit_head(
        self,
        rows: Labelled,
        classes: int,
        *,
        folds: int,
        seed: int,
        strengths: Sequence[float] = STRENGTHS,
    ) -> LinearHead:
        """Return a multinomial logistic head of tags, given a row for each place.

        What was held out is not told: those are places, and no rows.
        """
        tags = 1 + 2 * classes
        head = fit_head(rows, tags, folds=folds, seed=seed, strengths=strengths)
        return replace(head, held_out=None)

    def weighs(self, targets: NDArray[Any], weights: Tensor) -> Tensor:
        """Return that all rows count alike."""
        return weights.new_ones(len(targets))

    def losses(
        self, network: Network, features: Tensor, targets: NDArray[Any], weights: Tensor
    ) -> Tensor:
        """Return the mean cross-entropy of the tags at each row's places."""
        import torch
        from torch.nn.functional import cross_entropy

        seen, places = apart(features)
        logits = network.head(seen.float())
        where = places.cpu().numpy()
        tags = np.stack([self.tags(*each) for each in zip(where, targets, strict=True)])
        wanted = torch.as_tensor(tags).to(logits.device)
        losses = cross_entropy(
            logits.transpose(1, 2),
            wanted,
            weight=self.by_output(weights, logits.shape[2]),
            ignore_index=NONE,
            reduction="none",
        )
        return losses.sum(dim=1) / (wanted != NONE).sum(dim=1).clamp(min=1)

    def tags(self, places: NDArray[Any], target: Sequence[tuple[int, int, int]]) -> NDArray[Any]:
        """Return the number of the tag at each place [places], NONE where there is no place."""
        there = places[:, 1] > 0
        found = np.where(there, 0, NONE)
        for start, end, first in target:
            inside = (found == 0) & (places[:, 0] < end) & (places[:, 1] > start)
            found[inside] = first + 1
            found[np.flatnonzero(inside)[:1]] = first
        return found

    def read_off(self, features: Tensor, logits: NDArray[Any], classes: Sequence[str]) -> list[str]:
        """Return the label that logits [rows, positions, tags] mean, at the features' places."""
        names, labels = tags_of(classes), []
        for where, row in zip(apart(features)[1].cpu().numpy(), logits, strict=True):
            there = where[:, 1] > 0
            tags = [names[number] for number in row[there].argmax(axis=1)]
            labels.append(written(from_tags(tags, where[there].astype(int).tolist())))
        return labels

    def counted(
        self, true: Sequence[str], said: Sequence[str], classes: Sequence[str]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return how many spans [rows, types] rows have, are said to have, and how many are right.

        Spans are counted by their type.
        """
        return _counted(true, said, classes)


def tags_of(types: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of types: `O`, then `B-` and `I-` of each."""
    return (OUTSIDE, *(f"{sign}-{kind}" for kind in types for sign in "BI"))


@functools.lru_cache(KNOWN)
def parts(label: str) -> tuple[tuple[int, int, str], ...]:
    """Return (start, end, type) of each span of a label."""
    return tuple((int(start), int(end), str(kind)) for start, end, kind in json.loads(label))


@functools.lru_cache(KNOWN)
def _pair(true: str, said: str) -> tuple[Mapping[str, int], Mapping[str, int], Mapping[str, int]]:
    """Return how many spans of each type are true, are said, and are both."""
    a, b = set(parts(true)), set(parts(said))
    found = (Counter(kind for *_, kind in spans) for spans in (a, b, a & b))
    return next(found), next(found), next(found)


def _counted(
    true: Iterable[Any], said: Iterable[Any], classes: Sequence[str] | None = None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return spans [rows, types] that are true, are said, and are both; by default of all types."""
    pairs = [_pair(str(a), str(b)) for a, b in zip(true, said, strict=True)]
    kinds = classes or sorted({kind for a, b, _ in pairs for kind in (*a, *b)})
    shape = (len(pairs), len(kinds))
    tables = ([each[place].get(kind, 0) for each in pairs for kind in kinds] for place in range(3))
    a, b, both = (np.array(table, np.float64).reshape(shape) for table in tables)
    return a, b, both


def _share(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[Any]:
    """Return part by whole, and 0 where there is nothing, as seqeval does."""
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _f1(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return micro-averaged F1: over the spans of all types of all rows at once."""
    a, b, both = (weights @ each.sum(axis=1) for each in _counted(true, predicted))
    return _share(2 * both, a + b)


def _precision(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the share of spans said that are right."""
    _, b, both = (weights @ each.sum(axis=1) for each in _counted(true, predicted))
    return _share(both, b)


def _recall(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the share of true spans that were found."""
    a, _, both = (weights @ each.sum(axis=1) for each in _counted(true, predicted))
    return _share(both, a)


def _macro_f1(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the mean F1 over the types that occur in what is true or said."""
    a, b, both = (weights @ each for each in _counted(true, predicted))
    occurs = (a + b) > 0
    return _share(_share(2 * both, a + b).sum(axis=1), occurs.sum(axis=1).astype(np.float64))


SPANS = Spans()
