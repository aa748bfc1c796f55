"""How many of the words of texts a base's tokenizer keeps whole: those it has often seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..related import Measured

HOW = "share of the rows' words that its tokenizer keeps whole"
WORD = re.compile(r"[^\W\d_]+")


def kept_words(base: Path, texts: Sequence[str]) -> Measured | None:
    """Return the share of words, each as often as it is there, that are one token and no unknown.

    None where there are no words, or where the tokenizer does not tell which letters a token is of.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    if not tokenizer.is_fast:
        return None
    whole = words = 0
    for text in texts:
        read = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
        tokens = zip(read["offset_mapping"], read["input_ids"], strict=True)
        known = [at for at, token in tokens if token != tokenizer.unk_token_id]
        # A space may belong to the token of the word behind it.
        pieces = {(start + _spaces(text, start, end), end) for start, end in known}
        found = [word.span() for word in WORD.finditer(text)]
        words += len(found)
        whole += sum(span in pieces for span in found)
    return Measured(whole / words, HOW) if words else None


def _spaces(text: str, start: int, end: int) -> int:
    piece = text[start:end]
    return len(piece) - len(piece.lstrip())
