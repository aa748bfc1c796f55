"""Two texts as one input, and a sentence encoder that says how alike they are: their cosine.

What is saved is a sentence-transformers folder without any head, whose Transformer is a PEFT
adapter or a whole model: it makes vectors of texts like any other, to search by or to group.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...registry.errors import BadOption
from ...transfer.feed import Rows, Whole
from ..hookspecs import Loading
from ..networks import files
from .sentence_encoder import FIRST, MEAN, SentenceEncoder, loaded_by, pooling_of

if TYPE_CHECKING:
    from torch import Tensor, nn

KEYS = ("sentence1", "sentence2")
MODULES = {"Transformer", "Pooling", "Normalize"}  # whatever else a base has would be lost
POOLED = {MEAN: "(tokens * mask).sum(1) / mask.sum(1)", FIRST: "tokens[:, 0]"}
HOW = {MEAN: "the mean over tokens", FIRST: "the first token"}
SNIPPET = """\
import json

import torch
{hub}{peft}from transformers import {kind}, AutoTokenizer

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}

folder = {fetched}
tokenizer = AutoTokenizer.from_pretrained(folder)
{body}

@torch.inference_mode()
def embed(texts):
    found = []
    for start in range(0, len(texts), 32):
        batch = tokenizer(texts[start : start + 32], padding=True, truncation=True,
                          max_length={length}, return_tensors="pt")
        tokens = body(**batch).last_hidden_state
{mask}        pooled = {pooled}
        found.append(torch.nn.functional.normalize(pooled, dim=1))
    return torch.cat(found)


def read(pairs):  # each two texts, or a JSON object of them
    pairs = [json.loads(pair) if isinstance(pair, str) else pair for pair in pairs]
    pairs = [(pair["sentence1"], pair["sentence2"]) if isinstance(pair, dict) else pair
             for pair in pairs]
    return [first for first, _ in pairs], [second for _, second in pairs]


def logits(pairs):
    first, second = read(pairs)
    return (embed(first) * embed(second)).sum(1, keepdim=True)


def choose(row):
    return row[0]


def predict(pairs):
    return [choose(row) for row in logits(pairs).tolist()]
"""
MASK = """\
        mask = batch["attention_mask"].unsqueeze(-1)
"""
# Behind the card's code: what it makes of the two texts of each input, side by side.
KEPT = """
def kept(inputs):
    return torch.cat([embed(texts) for texts in read(inputs)], dim=1).tolist()
"""
WAY = "`SentenceTransformer(adapter).encode(texts)`, at whatever the base's `main` is"
WAY_CODE = """\
import json

from sentence_transformers import SentenceTransformer

model = SentenceTransformer({address!r}, device="cpu")


def logits(pairs):
    pairs = [json.loads(pair) for pair in pairs]
    first, second = (
        model.encode([pair[key] for pair in pairs], convert_to_tensor=True)
        for key in ("sentence1", "sentence2")
    )
    return model.similarity_pairwise(first, second).unsqueeze(1)
"""


def pair_of(first: str, second: str) -> str:
    """Return two texts as the input that a table's row of them is."""
    return json.dumps(dict(zip(KEYS, (first, second), strict=True)), ensure_ascii=False)


def texts_of(inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the first text of each input, and the second of each."""
    pairs = [json.loads(each) for each in inputs]
    first, second = ([pair[key] for pair in pairs] for key in KEYS)
    return first, second


class PairEncoder(SentenceEncoder):
    """A sentence encoder whose head is the cosine of two texts' vectors."""

    parts = 2

    def __init__(self, base: Path, entry: Entry, labels: Sequence[str], device: str | None) -> None:
        self.pools_by = pooling_of(base)
        others = {each["type"].rpartition(".")[2] for each in _modules(base)} - MODULES
        if others or not self.pools_by:
            more = f" alone, but has {', '.join(sorted(others))}" if others else ""
            raise BadOption(
                f"`{entry.id}` does not make one vector of a text by the mean of its tokens, or "
                f"the first{more}",
                "choose another --base: `hubtl search --task sentence-similarity`",
            )
        super().__init__(base, entry, labels, device)
        self._tokens.what = "texts"
        self.how = f"{HOW[self.pools_by]}{{scaled}}, as the base was trained"

    @property
    def identity(self) -> str:
        """The base at its commit, an adapter upon it, and how the two texts are cut."""
        return f"{super().identity}, in pairs"

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return twice the tokens of each pair's longer text: the other is padded."""
        first, second = (self._tokens.sizes(texts) for texts in texts_of(inputs))
        return [2 * max(both) for both in zip(first, second, strict=True)]

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return padded token ids and their mask: of all first texts, then of all second ones."""
        first, second = texts_of(inputs)
        return self._tokens.batch([*first, *second], self.device)

    def outline(self, inputs: Sequence[str]) -> Mapping[str, Tensor]:
        """Return the same as `collate`: texts are cheap to read."""
        return self.collate(inputs)

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors of the two texts side by side, [rows, 2 width]."""
        import torch

        return torch.cat(super().features(batch).chunk(2), dim=1)

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how texts are cut and compared, and how many of these were cut."""
        first, second = texts_of(inputs)
        scaled = ", scaled to length one" if self.normalizes else ""
        how = f"{self.how.format(scaled=scaled)}; two texts are compared by the cosine of theirs"
        return self._tokens.describe([*first, *second], how)

    def _new_head(self, width: int) -> nn.Linear:
        """Return a head that is the cosine."""
        return _cosine(width)

    def _write_head(self, folder: Path, path: str) -> Sequence[tuple[str, str]]:
        """Write nothing: whoever loads the folder takes the cosine."""
        return ()


def _modules(base: Path) -> Sequence[Mapping[str, str]]:
    found: Sequence[Mapping[str, str]] = files.read_json(base / "modules.json") or ()
    return found


def _cosine(width: int) -> nn.Linear:
    """Return a head that gives the cosine of the two halves of what it sees, [rows, 1].

    It is a linear one to all who ask how wide it is, but has no weights to learn, or to save.
    """
    from torch import nn
    from torch.nn.functional import cosine_similarity

    class Cosine(nn.Linear):
        """The cosine of two vectors."""

        def __init__(self) -> None:
            nn.Module.__init__(self)
            self.in_features, self.out_features = 2 * width, 1

        def forward(self, both: Tensor) -> Tensor:
            first, second = both.chunk(2, dim=-1)
            return cosine_similarity(first, second, dim=-1).unsqueeze(-1)

    return Cosine()


def cosines_by(base: Path, inputs: Sequence[str]) -> list[float]:
    """Return the cosine of each input's two texts, by a base as it is."""
    import numpy as np
    import torch

    network = PairEncoder(base, Entry(base.name), (), "cpu")
    network.body.eval()
    with torch.inference_mode():
        logits = Rows(Whole(network, inputs), np.empty(len(inputs))).logits(network)
    found: list[float] = logits[:, 0].tolist()
    return found


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder by transformers and peft alone."""
    way = pooling_of(folder)
    return SNIPPET.format(
        **loaded_by(folder, loading),
        mask=MASK if way == MEAN else "",
        pooled=POOLED[way],
    )
