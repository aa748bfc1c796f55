"""Texts as padded token ids: the tokenizer of a base, and how long a text may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.errors import BadOption
from ..networks.files import copy_those

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CHUNK = 1000  # texts
LONGEST = 512  # tokens, where a base says no less
FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)


class Tokens:
    """A base's tokenizer, cutting texts at `length` tokens; `what` each of them is, if no row."""

    what = "rows"

    def __init__(self, base: Path, most: int) -> None:
        self._base = base
        self._tokenizer = self._opened(base)
        if self._tokenizer.pad_token is None:
            raise BadOption(
                "the base's tokenizer can't pad, so texts can't be read in batches",
                "choose another --base: `hubtl search --task text-classification`",
            )
        self.length = min(most, self._tokenizer.model_max_length)

    def _opened(self, base: Path) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(base, trust_remote_code=False)

    @property
    def identity(self) -> str:
        """How texts are cut."""
        return f"{self.length} tokens"

    def sizes(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text, after truncation."""
        return [min(count, self.length) for count in self._counts(texts)]

    def batch(self, texts: Sequence[str], device: torch.device) -> Mapping[str, Tensor]:
        """Return padded token ids and their mask."""
        batch = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.length, return_tensors="pt"
        )
        return {key: value.to(device) for key, value in batch.items()}

    def outline(self, texts: Sequence[str], device: torch.device) -> Mapping[str, Tensor]:
        """Return the same as `batch`: texts are cheap to read."""
        return self.batch(texts, device)

    def contents(self, texts: Sequence[str]) -> list[str]:
        """Return the texts themselves."""
        return list(texts)

    def save(self, folder: Path) -> None:
        """Write the tokenizer's files."""
        copy_those(FILES, self._base, folder)

    def describe(self, texts: Sequence[str], pooling: str) -> dict[str, Any]:
        """Return how texts are cut and pooled, and how many of these were cut."""
        cut = sum(count > self.length for count in self._counts(texts))
        return {
            "max_length": self.length,
            "cut": cut,
            "rows": len(texts),
            "how": f"texts are cut at {self.length} tokens ({cut} of {len(texts)} {self.what} "
            f"were); {pooling}",
        }

    def _counts(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text, before truncation; some at a time, for their memory."""
        found: list[int] = []
        for start in range(0, len(texts), CHUNK):
            some = list(texts[start : start + CHUNK])
            found += [len(ids) for ids in self._tokenizer(some)["input_ids"]]
        return found
