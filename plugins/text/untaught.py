"""What completions cost whoever was not adapted: the base as it is, and plain counts of tokens.

Each cost is [nothing that was written, nats, tokens].
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...transfer.split import Example
from .completions import in_tokens, nats_of
from .language_model import longest, open_model, open_tokenizer
from .ngrams import Bigrams


def by_base(base: Path, rows: Sequence[Example]) -> list[list[Any]]:
    """Return what the completion of each row costs the base."""
    return _costs(base, [(row.input, row.label) for row in rows], end=True)


def costs_of_texts(base: Path, texts: Sequence[str]) -> list[list[Any]]:
    """Return what texts on their own cost the base; none is said to end."""
    return _costs(base, [(text, text.strip()) for text in texts], end=False)


def by_bigrams(base: Path, rows: Sequence[Example], tests: Sequence[Example]) -> list[list[Any]]:
    """Return what the completion of each test row costs bigrams of the others' completions."""
    tokenizer, length = open_tokenizer(base), longest(base)
    learnt, judged = (
        [in_tokens(tokenizer, row.input, row.label, length, True)[1] for row in some]
        for some in (rows, tests)
    )
    bigrams = Bigrams(learnt, len(tokenizer))
    return [["", bigrams.nats(tokens), len(tokens)] for tokens in judged]


def _costs(base: Path, pairs: Sequence[tuple[str, str]], *, end: bool) -> list[list[Any]]:
    model, tokenizer, length = open_model(base).eval(), open_tokenizer(base), longest(base)
    told = (in_tokens(tokenizer, *pair, length, end) for pair in pairs)
    return [["", *nats_of(model, *each)] for each in told]
