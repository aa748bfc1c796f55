"""A plain rival of language models: bigrams of a base's tokens, counted in the completions.

Interpolated Kneser-Ney smoothing (Kneser and Ney, ICASSP 1995) with one discount; below the
bigrams are the tokens that follow many others, and below these all tokens alike.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

DISCOUNT = 0.75


class Bigrams:
    """How probable a token is after another, by texts in tokens.

    `size` is how many different tokens there are.
    """

    def __init__(self, texts: Iterable[Sequence[int]], size: int) -> None:
        self._pairs = Counter(
            pair for text in texts for pair in zip((None, *text), text, strict=False)
        )
        self._after: Counter[int | None] = Counter()  # how often each is followed
        self._kinds: Counter[int | None] = Counter()  # by how many different ones
        self._follows: Counter[int] = Counter()  # how many different ones each follows
        for (first, second), count in self._pairs.items():
            self._after[first] += count
            self._kinds[first] += 1
            self._follows[second] += 1
        self._size = size

    def nats(self, text: Sequence[int]) -> float:
        """Return what a text costs, in nats."""
        pairs = zip((None, *text), text, strict=False)
        return -sum(math.log(self._share(first, second)) for first, second in pairs)

    def _share(self, first: int | None, second: int) -> float:
        kinds = len(self._pairs)
        lower = max(self._follows[second] - DISCOUNT, 0.0) / kinds
        lower += DISCOUNT * len(self._follows) / kinds / self._size
        if not self._after[first]:
            return lower
        found = max(self._pairs[first, second] - DISCOUNT, 0.0)
        return (found + DISCOUNT * self._kinds[first] * lower) / self._after[first]
