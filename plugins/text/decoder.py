"""A model that reads from left to right, as a sentence encoder: the mean over tokens, then a Dense.

transformers' own head for such models judges each token, takes the last, and has no bias, so that a
head fitted to frozen features could not be saved in it. The mean needs no token that the base was
trained to end with, and what is saved is read as any other sentence encoder is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..networks import files
from .sentence_encoder import SentenceEncoder
from .tokens import LONGEST, Tokens

WRITES_ON = ("ForCausalLM", "LMHeadModel")  # as configurations name what continues a text


def is_decoder(base: Path) -> bool:
    """Return whether a base was trained to continue texts."""
    named = files.read_json(base / "config.json").get("architectures") or []
    return any(str(each).endswith(WRITES_ON) for each in named)


class PaddedTokens(Tokens):
    """A decoder's tokenizer, padding behind the text, with its end where it lacks a sign for it."""

    def _opened(self, base: Path) -> Any:
        tokenizer = super()._opened(base)
        tokenizer.padding_side = "right"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    def save(self, folder: Path) -> None:
        """Write the tokenizer's files; how it pads is put into its configuration."""
        super().save(folder)
        path = folder / "tokenizer_config.json"
        pads = {"padding_side": "right", "pad_token": str(self._tokenizer.pad_token)}
        files.write_json(path, {**files.read_json(path), **pads})


class Decoder(SentenceEncoder):
    """A model that reads from left to right and a linear head, for one set of labels."""

    how = "the mean over tokens"

    def _read(self, base: Path) -> Tokens:
        return PaddedTokens(base, LONGEST)

    def _write_pooling(self, folder: Path) -> None:
        """Write that it is the mean, and how long texts may be."""
        pooling: Mapping[str, object] = {
            "word_embedding_dimension": self.head.in_features,
            "pooling_mode_mean_tokens": True,
        }
        files.write_json(folder / "1_Pooling" / "config.json", pooling)
        cut = {"max_seq_length": self._tokens.length, "do_lower_case": False}
        files.write_json(folder / "sentence_bert_config.json", cut)
