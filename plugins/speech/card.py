"""The code on a card that loads a speech encoder and its head without hubtl."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

from ..hookspecs import Loading
from ..networks import files
from ..networks.answers import predict_code
from .clips import read_clip
from .encoders import encode_whisper, hear_whisper

PROCESSOR = "preprocessor_config.json"
HEAD = "head.safetensors"
SNIPPET = """\
import torch
{hub}{peft}from safetensors.torch import load_file
from transformers import AutoFeatureExtractor, {auto}

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
labels = {labels!r}
num_labels = {classes}
rate, window, trim = {rate}, {window}, {trim}

folder = {fetched}
extractor = AutoFeatureExtractor.from_pretrained(folder)
{body}head = load_file(f"{{folder}}/head.safetensors")
assert len(head["bias"]) == num_labels


{read}
{encode}
@torch.inference_mode()
def logits(paths):
    found = []
    for path in paths:
        clip = read_clip(path, rate, trim)
        starts = range(0, len(clip) - rate // 10 + 1, window)
        frames = torch.cat([encode(clip[at : at + window]) for at in starts])
        found.append(head["weight"] @ frames.mean(0) + head["bias"])
    return torch.stack(found)


{predict}"""
ADAPTED = """\
body = {auto}.from_pretrained(base, revision=base_revision, dtype=torch.float32){part}
{change}body = PeftModel.from_pretrained(body, folder).eval()
"""
WHOLE = """\
body = {auto}.from_pretrained(folder, dtype=torch.float32).eval(){part}
{change}"""
ENCODE_WHISPER = """\
def encode(clip):
    clip = torch.nn.functional.pad(torch.from_numpy(clip), (0, -len(clip) % {hop})).numpy()
    mel = extractor(clip, sampling_rate=rate, padding="longest", return_tensors="pt")
    return encode_whisper(body, hear_whisper(body, mel["input_features"]))[0]


"""
ENCODE = """\
def encode(clip):
    values = extractor(clip, sampling_rate=rate, return_tensors="pt")["input_values"]
    return body(values).{found}


"""


@dataclass(frozen=True, slots=True)
class _Family:
    """Transformers' class of a family, what of it is used and changed, and how it encodes."""

    encode: str
    auto: str = "AutoModel"
    part: str = ""
    change: str = ""


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder without hubtl."""
    whole = not (folder / files.ADAPTER[0]).is_file()
    family = _family(folder)
    model = {"auto": family.auto, "part": family.part, "change": family.change}
    return SNIPPET.format(
        peft="" if whole else "from peft import PeftModel\n",
        auto=family.auto,
        body=(WHOLE if whole else ADAPTED).format(**model),
        base=loading.base,
        revision=loading.base_revision,
        **files.from_hub(loading.address),
        address=loading.address,
        labels=list(loading.labels),
        classes=len(loading.labels),
        rate=int(loading.inputs["rate"]),
        window=int(loading.inputs["window"]),
        trim=bool(loading.inputs["trim"]),
        read=inspect.getsource(read_clip),
        encode=family.encode,
        predict=predict_code(loading.options),
    )


def part_in(folder: Path) -> str:
    """Return the module that a saved adapter is of, in the model that transformers loads."""
    return _family(folder).part.removeprefix(".")


def _family(folder: Path) -> _Family:
    """Return how the model in a saved folder is loaded and run."""
    name = files.read_json(folder / "config.json").get("model_type")
    if name == "whisper":
        hop = 2 * int(files.read_json(folder / PROCESSOR)["hop_length"])
        sources = "\n\n".join(inspect.getsource(each) for each in (hear_whisper, encode_whisper))
        return _Family(f"\n{sources}\n\n{ENCODE_WHISPER.format(hop=hop)}", part=".encoder")
    if name == "audio-spectrogram-transformer":
        # One row a window, as its own classifier would see it.
        change = "body.classifier.dense = torch.nn.Identity()\n"
        auto = "AutoModelForAudioClassification"
        return _Family(ENCODE.format(found="logits"), auto=auto, change=change)
    return _Family(ENCODE.format(found="last_hidden_state[0]"))
