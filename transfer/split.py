"""Divide labelled rows into train, validation and test, the same way for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..registry.errors import BadData
from .rows import Example as Example
from .rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Split:
    """Three sets of rows, one line on how they were told apart, and how many test rows were not.

    Those that are `dropped` are among the rows to learn from.
    """

    train: Sequence[Example]
    validation: Sequence[Example]
    test: Sequence[Example]
    how: str
    dropped: int = 0

    @property
    def sizes(self) -> dict[str, int]:
        """The number of rows in each part."""
        return {
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
        }


def hold_out(
    examples: Sequence[Example], share: float, seed: int, *, strata: bool = True
) -> tuple[Sequence[Example], Sequence[Example]]:
    """Return (kept, held out), stratified by label; rows of like inputs, or of a group, together.

    Each class gives `share` of its distinct inputs, at least one and never all. Rows are ordered by
    a hash of seed and input, so a row added later moves no other row to the other side. Groups are
    taken as they bring the classes nearer to that share; no class is held out whole. Without
    `strata` all rows count as of one class.
    """
    return _divided(examples, _out(examples, share, seed, strata))


def to_choose_by(
    examples: Sequence[Example], share: float, seed: int, *, strata: bool = True
) -> tuple[Sequence[Example], Sequence[Example]]:
    """Return (kept, held out) as `hold_out` does; none held out where groups can't be divided.

    It is for what has a choice of its own where there are no rows to choose by.
    """
    try:
        return hold_out(examples, share, seed, strata=strata)
    except BadData:
        return examples, ()


def folds(
    examples: Sequence[Example], count: int, seed: int, *, strata: bool = True
) -> Iterator[tuple[Sequence[Example], Sequence[Example]]]:
    """Yield (kept, held out) so many times, each as `hold_out` does; no row is held out twice.

    A row of each class is never held out. Raises BadData where groups can't be divided.
    """
    import numpy

    rest = numpy.arange(len(examples))
    for number in range(count):
        left = _taken(examples, rest)
        out = rest[_out(left, 1 / (count - number), seed, strata)]
        held = numpy.zeros(len(examples), bool)
        held[out] = True
        yield _divided(examples, held)
        rest = rest[~held[rest]]


def _out(examples: Sequence[Example], share: float, seed: int, strata: bool) -> NDArray[Any]:
    """Return which rows are held out."""
    import numpy

    codes, hashes, groups = _numbers(examples, seed)
    if not strata:
        codes[:] = 0
    if groups is not None:
        return _out_by_group(codes, hashes, _bound(groups, hashes), share)
    out = []
    for code in range(int(codes.max(initial=-1)) + 1):
        inputs = numpy.unique(hashes[codes == code])
        out.append(inputs[: min(max(1, round(share * len(inputs))), len(inputs) - 1)])
    return _among(hashes, numpy.concatenate(out) if out else hashes)


def latest(rows: Sequence[Example], share: float) -> tuple[Sequence[Example], Sequence[Example]]:
    """Return (earlier, latest), cut between two times so that `share` are latest, or nearly.

    Raises BadData where all rows have the same time.
    """
    import numpy

    assert isinstance(rows, Rows), "only rows of a source have times"
    times = numpy.fromiter((time for (time,) in rows.cells("time")), "float64", len(rows))
    ordered = numpy.sort(times)
    cuts = numpy.flatnonzero(ordered[1:] > ordered[:-1]) + 1
    if not len(cuts):
        raise BadData("all rows have the same time", "leave the column of times out")
    cut = cuts[numpy.abs(cuts - (1 - share) * len(rows)).argmin()]
    return _divided(rows, times >= ordered[cut])


def at_most(split: Split, rows: int, seed: int, *, strata: bool = True) -> Split:
    """Return the split with at most about so many rows to learn from, stratified, none to validate.

    A class keeps its share of them, and at least one.
    """
    import numpy

    learning = joined(split.train, split.validation)
    if len(learning) <= rows:
        return split
    codes, hashes, _ = _numbers(learning, seed)
    if not strata:
        codes[:] = 0
    counts = numpy.bincount(codes)
    ranks = numpy.empty(len(codes), "int64")
    ranks[numpy.lexsort((hashes, codes))] = numpy.concatenate([numpy.arange(n) for n in counts])
    wanted = ranks < numpy.maximum(1, counts * rows // len(codes))[codes]
    return replace(split, train=_divided(learning, wanted)[1], validation=())


def unseen(rows: Sequence[Example], learnt: Sequence[Example]) -> Sequence[Example]:
    """Return the rows that are like none of those to learn from."""

    return _divided(rows, ~_among(_numbers(rows, 0)[1], _numbers(learnt, 0)[1]))[1]


def on_two_sides(rows: Sequence[Example], learnt: Sequence[Example]) -> Example | None:
    """Return the first row whose group is among those to learn from too, or None."""
    groups = {group for *_, group in _cells(learnt)} - {""}
    return next((row for row in rows if row.group in groups), None) if groups else None


def labels_of(examples: Sequence[Example]) -> set[str]:
    """Return the labels that rows have."""
    return {label for _, label, _ in _cells(examples)}


def contents_of(examples: Iterable[Example]) -> Iterator[tuple[str, str]]:
    """Yield (content, label) of each row, by which rows are told to be the same."""
    return ((content, label) for content, label, _ in _cells(examples))


def distinct_inputs(examples: Sequence[Example]) -> dict[str, int]:
    """Return how many different inputs each label has, near-duplicates counted once."""
    import numpy

    names: dict[str, None] = dict.fromkeys(label for _, label, _ in _cells(examples))
    codes, hashes, _ = _numbers(examples, 0)
    counts = (len(numpy.unique(hashes[codes == code])) for code in range(len(names)))
    return dict(zip(names, counts, strict=True))


def joined(first: Sequence[Example], second: Sequence[Example]) -> Sequence[Example]:
    """Return the rows of both, one after the other."""
    if isinstance(first, Rows) and isinstance(second, Rows):
        return first + second
    return (*first, *second)


def like(text: str) -> str:
    """Return what near-duplicates have in common: a text but for case and spaces."""
    return " ".join(text.casefold().split())


def _divided(
    examples: Sequence[Example], out: NDArray[Any]
) -> tuple[Sequence[Example], Sequence[Example]]:
    import numpy

    kept, held = numpy.flatnonzero(~out), numpy.flatnonzero(out)
    return _taken(examples, kept), _taken(examples, held)


def _taken(examples: Sequence[Example], numbers: NDArray[Any]) -> Sequence[Example]:
    if isinstance(examples, Rows):
        return examples.take(numbers)
    return tuple(examples[number] for number in numbers.tolist())


def _among(values: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Return which values are among others; as numpy's isin, in a quarter of its memory."""
    import numpy

    found = numpy.zeros(len(values), bool)
    if not len(others):
        return found
    ordered = numpy.sort(others)
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        places = numpy.searchsorted(ordered, part).clip(max=len(ordered) - 1)
        found[start : start + CHUNK] = ordered[places] == part
    return found


def _numbers(
    examples: Sequence[Example], seed: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """Return three numbers a row: its label, its input hashed with the seed, its group if any."""
    import numpy

    labels: dict[str, int] = {}
    groups: dict[str, int] = {}
    codes = numpy.empty(len(examples), "int32")
    hashes = numpy.empty(len(examples), "uint64")
    bound = numpy.empty(len(examples), "int32")
    for number, (content, label, group) in enumerate(_cells(examples)):
        codes[number] = labels.setdefault(label, len(labels))
        bound[number] = groups.setdefault(group, len(groups))
        digest = hashlib.sha256(f"{seed} {like(content)}".encode()).digest()
        hashes[number] = int.from_bytes(digest[:8], "big")
    return codes, hashes, bound if groups.keys() - {""} else None


def _cells(examples: Iterable[Example]) -> Iterator[tuple[str, str, str]]:
    if isinstance(examples, Rows):
        cells = examples.cells("digest", "input", "label", "group")
        return ((digest or text, label, group) for digest, text, label, group in cells)
    return ((each.content, each.label, each.group) for each in examples)


def _bound(groups: NDArray[Any], hashes: NDArray[Any]) -> NDArray[Any]:
    """Return the groups, with those made one that share an input."""
    import numpy

    parents = numpy.arange(int(groups.max()) + 1)

    def root(group: int) -> int:
        while parents[group] != group:
            parents[group] = group = parents[parents[group]]
        return group

    order = numpy.argsort(hashes, kind="stable")
    alike = hashes[order][1:] == hashes[order][:-1]
    pairs = zip(groups[order][:-1][alike].tolist(), groups[order][1:][alike].tolist(), strict=True)
    for first, second in pairs:
        parents[root(first)] = root(second)
    found: NDArray[Any] = numpy.array([root(group) for group in range(len(parents))])[groups]
    return found


def _out_by_group(
    codes: NDArray[Any], hashes: NDArray[Any], groups: NDArray[Any], share: float
) -> NDArray[Any]:
    """Return which rows are held out: whole groups, in the order of their smallest hash."""
    import numpy

    counts = numpy.bincount(codes)
    wanted, have = counts * share, numpy.zeros_like(counts)
    by_group = numpy.argsort(groups, kind="stable")
    starts = numpy.flatnonzero(numpy.diff(groups[by_group], prepend=-1))
    firsts = numpy.minimum.reduceat(hashes[by_group], starts)
    ends = numpy.append(starts[1:], len(groups))
    out = numpy.zeros(len(groups), bool)
    smallest: NDArray[Any] | None = None
    for number in numpy.argsort(firsts, kind="stable"):
        rows = by_group[starts[number] : ends[number]]
        more = have + numpy.bincount(codes[rows], minlength=len(counts))
        if (more >= counts)[more > have].any():
            continue
        if smallest is None or len(rows) < len(smallest):
            smallest = rows
        if numpy.abs(wanted - more).sum() < numpy.abs(wanted - have).sum():
            have, out[rows] = more, True
    if not out.any():
        if smallest is None:
            raise BadData(
                "the groups can't be divided: without any of them a label would be gone",
                "add rows, so that each label is in two groups or more, or leave the groups out",
            )
        out[smallest] = True
    return out


def evenly(rows: int, most: int) -> list[int]:
    """Return the numbers of at most so many of these rows, evenly out of all."""
    return list(range(rows)) if rows <= most else [row * rows // most for row in range(most)]
