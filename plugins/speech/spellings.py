"""What comes of a speller: the code of its card, and what the base as it is spells."""

# Without `from __future__ import annotations`: the source of spell runs by itself in cards, so what
# it names as types must be text.
import functools
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..hookspecs import Loading
from .clips import read_clip
from .speller import open_ctc
from .vocabulary import own_vocabulary

if TYPE_CHECKING:
    from .encoders import Samples

SNIPPET = """\
import torch
{peft}from transformers import AutoModelForCTC, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
rate, trim = {rate}, {trim}

extractor = Wav2Vec2FeatureExtractor.from_pretrained(adapter)
tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(adapter)
{model}

{sources}

@torch.inference_mode()
def answers(paths):
    texts, scores = [], []
    for path in paths:
        text, score = spell(model, extractor, tokenizer, read_clip(path, rate, trim))
        texts.append(text)
        scores.append([score])
    return texts, scores


def predict(paths):
    return answers(paths)[0]
"""
ADAPTED = """\
model = AutoModelForCTC.from_pretrained(
    base, revision=base_revision, dtype=torch.float32,
    vocab_size={tokens}, ignore_mismatched_sizes=True,  # the adapter brings the head
)
model = PeftModel.from_pretrained(model, adapter).eval()
"""
WHOLE = """\
model = AutoModelForCTC.from_pretrained(adapter, dtype=torch.float32).eval()
"""
# Behind a card's code: the mean over what the head sees of a clip's frames.
FRAMES = """
seen = []
[
    module
    for name, module in model.named_modules()
    if isinstance(module, torch.nn.Linear)
    and "lm_head" in name.split(".")
    and "original_module" not in name
][-1].register_forward_pre_hook(lambda module, given: seen.append(given[0].mean(1)))


def kept(paths):
    seen.clear()
    answers(paths)
    return torch.cat(seen).tolist()
"""


def spell(model: "Any", extractor: "Any", tokenizer: "Any", clip: "Samples") -> "tuple[str, float]":
    """Return the text of the likeliest letter of each frame, and its log-probability a letter."""
    made = extractor(clip, sampling_rate=extractor.sampling_rate, return_tensors="pt")
    likely, numbers = model(made["input_values"]).logits[0].log_softmax(-1).max(-1)
    blank = tokenizer.pad_token_id
    told = [number for number in numbers.unique_consecutive().tolist() if number != blank]
    text = tokenizer.decode(told, group_tokens=False, skip_special_tokens=True).strip()
    return text, float(likely.sum()) / (1 + len(told))


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder without hubtl."""
    whole = not (folder / "adapter_config.json").is_file()
    return SNIPPET.format(
        peft="" if whole else "from peft import PeftModel\n",
        model=WHOLE if whole else ADAPTED.format(tokens=int(loading.inputs["tokens"])),
        base=loading.base,
        revision=loading.base_revision,
        address=loading.address,
        rate=int(loading.inputs["rate"]),
        trim=bool(loading.inputs["trim"]),
        sources="\n\n".join(inspect.getsource(each) for each in (read_clip, spell)),
    )


def base_spellings(base: Path, paths: Sequence[str]) -> "list[str] | None":
    """Return what the base as it is spells; None where it was never taught any letters."""
    import torch
    from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor

    model, trained = open_ctc(base)
    if not own_vocabulary(base, trained, verbatim=False).own:
        return None
    extractor: Any = Wav2Vec2FeatureExtractor.from_pretrained(base)
    tokenizer: Any = Wav2Vec2CTCTokenizer.from_pretrained(base)
    clips = (read_clip(path, int(extractor.sampling_rate), False) for path in paths)
    with torch.inference_mode():
        return [spell(model.eval(), extractor, tokenizer, clip)[0] for clip in clips]


@functools.cache  # a model's folder stays as it is, and opening it takes a second
def knows_letters(base: Path) -> bool:
    """Return whether the base was taught any letters."""
    _, trained = open_ctc(base)
    return bool(own_vocabulary(base, trained, verbatim=False).own)
