"""Which inputs are nearly the same: by what small parts sets share, or by numbers that are close.

Sets are compared by MinHash (Broder, 1997) first, so that their number may be large.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

BANDS, DEEP = 24, 3  # finds 99.9 % of pairs that share four fifths, and half of those with a third
NEIGHBOURS = 4  # of a bucket, so that a thousand copies are not half a million pairs
BLOCK = 1024


def alike_sets(sets: Sequence[NDArray[Any]], share: float) -> list[tuple[int, int]]:
    """Return pairs (i < j) of sets of which that share of all parts is in both.

    Sets are sorted hashes of 32 bits, each once. Of many that are alike, each is paired with the
    first and the last few before it, not with all.
    """
    import numpy

    dice = numpy.random.default_rng(0)
    # Odd factors over 64 bits, of which the upper 32 are the hash: Dietzfelbinger's multiply-shift.
    factors = dice.integers(1 << 62, size=BANDS * DEEP, dtype="uint64") * 2 + 1
    terms = dice.integers(1 << 62, size=BANDS * DEEP, dtype="uint64")
    least = numpy.zeros((len(sets), BANDS * DEEP), "uint64")
    for number, parts in enumerate(sets):
        if len(parts):
            mixed = (parts[:, None].astype("uint64") * factors + terms) >> numpy.uint64(32)
            least[number] = mixed.min(axis=0)
    there = numpy.array([len(parts) > 0 for parts in sets], bool)
    tried: set[tuple[int, int]] = set()
    for band in range(BANDS):
        keys = least[:, band * DEEP : (band + 1) * DEEP]
        mixed = keys @ numpy.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 1], "uint64")
        tried.update(_in_buckets(mixed, there))
    return sorted(pair for pair in tried if _shared(sets[pair[0]], sets[pair[1]]) >= share)


def alike_vectors(vectors: NDArray[Any], cosine: float) -> list[tuple[int, int]]:
    """Return pairs (i < j) of rows of unit length whose cosine is at least that.

    Of many that are alike, each is paired with the few nearest before it.
    """
    import numpy

    found: list[tuple[int, int]] = []
    for start in range(0, len(vectors), BLOCK):
        part = vectors[start : start + BLOCK]
        for other in range(0, start + 1, BLOCK):
            near = part @ vectors[other : other + BLOCK].T
            rows, columns = numpy.nonzero(near >= cosine)
            pairs = zip((columns + other).tolist(), (rows + start).tolist(), strict=True)
            found += [(first, second) for first, second in pairs if first < second]
    return sorted(found)


def _in_buckets(keys: NDArray[Any], there: NDArray[Any]) -> set[tuple[int, int]]:
    """Return pairs of what has the same key: each with the first and the last few before it."""
    import numpy

    if not there.any():
        return set()
    order = numpy.flatnonzero(there)[numpy.argsort(keys[there], kind="stable")]
    starts = numpy.flatnonzero(numpy.diff(keys[order], prepend=keys[order[:1]] + 1))
    pairs = set()
    for start, end in zip(starts, numpy.append(starts[1:], len(order)), strict=True):
        inside = order[start:end].tolist()
        for place in range(1, len(inside)):
            near = {*inside[: min(place, NEIGHBOURS)], *inside[max(0, place - NEIGHBOURS) : place]}
            pairs |= {(other, inside[place]) for other in near}
    return pairs


def _shared(first: NDArray[Any], second: NDArray[Any]) -> float:
    import numpy

    both = len(numpy.intersect1d(first, second, assume_unique=True))
    return both / (len(first) + len(second) - both)
