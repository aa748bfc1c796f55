"""A model with transformers' own head for tokens, which finds spans: a tag for each word."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...registry.errors import BadOption
from ...transfer.spans import tags_of
from ...transfer.written_spans import from_tags
from ..export import Saved
from ..hookspecs import Loading
from ..networks import merging
from ..networks.classifier import Classifier, Kind, open_classifier
from ..networks.seen import watching
from .words import Words, is_inner, places_of, words

if TYPE_CHECKING:
    from torch import Tensor

AUTO = "AutoModelForTokenClassification"
FAR = 100.0  # by how much a text without any word is sure: there is nothing to be wrong about
SNIPPET = """\
import torch
{imports}from transformers import {auto}, AutoTokenizer

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
labels = {tags!r}
num_labels = {outputs}

tokenizer = AutoTokenizer.from_pretrained(adapter)
{model}

{functions}

def told(seen, places):
    found = from_tags([labels[n] for n in seen.argmax(1).tolist()], places)
    return [{{"start": start, "end": end, "label": label}} for start, end, label in found]


def summed(seen):
    if not len(seen):
        return [0.0, {far}, *[0.0] * num_labels]
    sure, ahead = seen.log_softmax(1).amax(1).min(), seen.topk(2, 1).values.diff(dim=1).neg().min()
    return [sure.item(), ahead.item(), *seen.mean(0).tolist()]


@torch.inference_mode()
def answers(texts):
    said, sums = [], []
    for start in range(0, len(texts), 32):
        some = texts[start : start + 32]
        read = tokenizer(some, padding=True, truncation=True, max_length={length},
                         return_offsets_mapping=True, return_tensors="pt")
        offsets = read.pop("offset_mapping").tolist()
        for row, (text, seen) in enumerate(zip(some, model(**read).logits)):
            places = places_of(text, offsets[row], read.word_ids(row), {whole})
            there = [token for token, (_, end) in enumerate(places) if end]
            said.append(told(seen[there], [places[token] for token in there]))
            sums.append(summed(seen[there]))
    return said, sums


def logits(texts):
    return answers(texts)[1]


def predict(texts):
    return answers(texts)[0]
"""
ADAPTED = """\
model = {auto}.from_pretrained(
    base, revision=base_revision, num_labels=num_labels, dtype=torch.float32,
    ignore_mismatched_sizes=True,
)
model = PeftModel.from_pretrained(model, adapter).eval()
"""
WHOLE = """\
model = {auto}.from_pretrained(
    adapter, num_labels=num_labels, dtype=torch.float32,
).eval()
"""
PLAIN = """\
model = {auto}.from_pretrained(adapter).eval()
"""
PEFTS_OWN = """\
model = AutoPeftModelForTokenClassification.from_pretrained(adapter, num_labels=num_labels)
model.eval()
"""
WAY = "`AutoPeftModelForTokenClassification.from_pretrained(adapter, num_labels=…)`, at the pin"
WAY_WHOLE = f"`{AUTO}.from_pretrained(adapter)`, labels and all"
# Behind the card's code: what its head sees of each text, in the mean over tokens.
SEEN = f"""{watching("given[0][0].mean(0)")}

def kept(inputs):
    seen.clear()
    for each in inputs:
        answers([each])
    return torch.stack(seen).tolist()
"""
TAGGED = Kind(AUTO, "TOKEN_CLS", words, texts=True)


class Tagger(Classifier):
    """A model that gives each word a tag, for one set of types of spans."""

    places = True
    _inputs: Words

    def __init__(self, base: Path, entry: Entry, types: Sequence[str], device: str | None) -> None:
        super().__init__(TAGGED, base, entry, tags_of(types), device)

    def expect(self, inputs: Sequence[str], labels: Sequence[str]) -> None:
        """Be told the spans to learn from: whether these are of whole words."""
        self._inputs.expect(inputs, labels)

    def features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what the head sees of each token, and where its word is [rows, tokens, width + 2].

        Raises BadOption where the head does not judge each token.
        """
        import torch

        self.body(**{name: tensor for name, tensor in batch.items() if name != "places"})
        seen, self._seen = self._seen, None
        assert seen is not None, "the hook on the head has just run"
        if seen.shape[:2] != batch["places"].shape[:2]:
            raise BadOption(
                f"`{self._entry.id}` does not judge each token of a text",
                "choose another --base: `hubtl search --task token-classification`",
            )
        return torch.cat([seen.float(), batch["places"]], dim=-1)

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how texts are cut and judged, and how many of these were cut."""
        return self._inputs.describe(inputs, "judged by transformers' head for tokens")


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder by transformers and peft alone."""
    if (folder / "adapter_config.json").is_file():
        return _code(loading, "from peft import PeftModel\n", ADAPTED)
    return _code(loading, "", WHOLE)


def other_ways(folder: Path, loading: Loading) -> Mapping[str, str]:
    """Return how else the libraries' own classes may load a saved folder."""
    if (folder / "adapter_config.json").is_file():
        own = "from peft import AutoPeftModelForTokenClassification\n"
        return {WAY: _code(loading, own, PEFTS_OWN)}
    return {WAY_WHOLE: _code(loading, "", PLAIN)}


def merge(saved: Saved, out: Path) -> None:
    """Write a saved adapter as a whole model."""
    outputs = len(tags_of(saved.loading.labels))
    merging.write_whole(saved, out, lambda base: open_classifier(AUTO, base, outputs)[0])


def _code(loading: Loading, imports: str, model: str) -> str:
    tags = tags_of(loading.labels)
    return SNIPPET.format(
        imports=imports,
        auto=AUTO,
        base=loading.base,
        revision=loading.base_revision,
        address=loading.address,
        tags=list(tags),
        outputs=len(tags),
        model=model.format(auto=AUTO),
        functions="\n\n".join(inspect.getsource(f) for f in (is_inner, places_of, from_tags)),
        far=FAR,
        length=int(loading.inputs["max_length"]),
        whole=bool(loading.inputs["whole_words"]),
    )
