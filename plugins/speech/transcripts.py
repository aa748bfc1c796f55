"""What comes of a transcriber: the code of its card, how texts are compared, the base as it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..hookspecs import Loading
from .clips import read_clip
from .encoders import encode_whisper, hear_whisper, own_window

NORMALISERS = ("basic", "english", "none")
SNIPPET = """\
import torch
{peft}from transformers import AutoTokenizer, WhisperFeatureExtractor
from transformers import WhisperForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
rate, trim = {rate}, {trim}

extractor = WhisperFeatureExtractor.from_pretrained(adapter)
tokenizer = AutoTokenizer.from_pretrained(adapter)
{model}

{sources}

@torch.inference_mode()
def answers(paths):
    encoder, config = model.model.encoder, model.config
    prefix, end = tokenizer.prefix_tokens, tokenizer.eos_token_id
    texts, scores = [], []
    for path in paths:
        clip = read_clip(path, rate, trim)
        size = own_window(len(clip), rate, config.max_source_positions)
        mel = extractor(clip, sampling_rate=rate, return_tensors="pt")["input_features"]
        states = encode_whisper(encoder, hear_whisper(encoder, mel[..., : 2 * size]))
        ids, score = list(prefix), 0.0
        while ids[-1] != end and len(ids) < min(config.max_target_positions, 24 + size // 2):
            hidden = model.model.decoder(torch.tensor([ids]), encoder_hidden_states=states)
            likely = model.proj_out(hidden.last_hidden_state[0, -1]).log_softmax(0)
            ids.append(int(likely.argmax()))
            score += float(likely.max())
        told = [each for each in ids[len(prefix) :] if each != end]
        texts.append(tokenizer.decode(told, skip_special_tokens=True).strip())
        scores.append([score / (len(ids) - len(prefix))])
    return texts, scores


def predict(paths):
    return answers(paths)[0]
"""
ADAPTED = """\
model = WhisperForConditionalGeneration.from_pretrained(
    base, revision=base_revision, dtype=torch.float32,
)
PeftModel.from_pretrained(model, adapter)  # changes the model's own layers
model.eval()
"""
WHOLE = """\
model = WhisperForConditionalGeneration.from_pretrained(adapter, dtype=torch.float32).eval()
"""


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder without hubtl."""
    whole = not (folder / "adapter_config.json").is_file()
    sources = (read_clip, own_window, hear_whisper, encode_whisper)
    return SNIPPET.format(
        peft="" if whole else "from peft import PeftModel\n",
        model=WHOLE if whole else ADAPTED,
        base=loading.base,
        revision=loading.base_revision,
        address=loading.address,
        rate=int(loading.inputs["rate"]),
        trim=bool(loading.inputs["trim"]),
        sources="\n\n".join(inspect.getsource(each) for each in sources),
    )


def normaliser(name: str) -> Callable[[str], str]:
    """Return what two transcripts are made alike by before they are compared.

    `basic` and `english` are transformers' own, those of Radford et al., "Robust Speech Recognition
    via Large-Scale Weak Supervision", 2022; a word without a letter or a digit is no word.
    """
    from transformers.models.whisper.english_normalizer import (
        BasicTextNormalizer,
        EnglishTextNormalizer,
    )

    english: Any = EnglishTextNormalizer
    if name == "none":
        return str
    made: Callable[[str], str] = english({}) if name == "english" else BasicTextNormalizer()

    def alike(text: str) -> str:
        words = made(text).split()
        return " ".join(word for word in words if any(map(str.isalnum, word)))

    return alike


def base_transcripts(base: Path, paths: Sequence[str], *, trim: bool) -> list[str]:
    """Return what the base as it is hears in clips, as transformers transcribes: over 30 s."""
    import torch
    from transformers import AutoTokenizer, WhisperFeatureExtractor

    from .transcriber import open_whisper

    model: Any = open_whisper(base).eval()
    extractor: Any = WhisperFeatureExtractor.from_pretrained(base)
    tokenizer: Any = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    rate, found = int(extractor.sampling_rate), []
    room = int(model.config.max_target_positions) - len(tokenizer.prefix_tokens)
    for path in paths:
        clip = read_clip(path, rate, trim)
        made = extractor(clip, sampling_rate=rate, return_tensors="pt")
        most = 20 + own_window(len(clip), rate, model.config.max_source_positions) // 4
        with torch.inference_mode():
            ids = model.generate(
                made["input_features"], max_new_tokens=min(room, most), do_sample=False, num_beams=1
            )
        found.append(tokenizer.decode(ids[0], skip_special_tokens=True).strip())
    return found
