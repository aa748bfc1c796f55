"""Tiny models that spell, with random weights, and clips in which each letter is a tone."""

from __future__ import annotations

import csv
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .tiny import CARD, RATE

TASK = "automatic-speech-recognition"
TONES = {"a": 250.0, "b": 1000.0, "c": 3500.0}
OWN = ["<pad>", "<s>", "</s>", "<unk>", "|", "A", "B", "'", "C"]
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "initializer_range": 0.1,
    "conv_dim": (16, 16),
    "conv_kernel": (64, 16),
    "conv_stride": (40, 8),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "mask_time_prob": 0.5,
    "mask_time_length": 2,
    "layerdrop": 0.5,
    **dict.fromkeys(("hidden_dropout", "attention_dropout", "feat_proj_dropout"), 0.0),
    "activation_dropout": 0.0,
}
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
# How each is made: transformers' name of it, and what is its own.
SPELLERS: dict[str, tuple[str, dict[str, Any]]] = {
    "wav2vec2": ("Wav2Vec2", {}),
    "wav2vec2-large": ("Wav2Vec2", LARGE),
    "wav2vec2-own": ("Wav2Vec2", {"vocab_size": len(OWN), "pad_token_id": 0}),
    "hubert": ("Hubert", {}),
    "wavlm": ("WavLM", {"num_buckets": 16, "max_bucket_distance": 40}),
}


def speller(folder: Path, name: str) -> Path:
    """Write a model that is pretrained only, or one that has letters of its own; return it."""
    import transformers

    kind, more = SPELLERS[name]
    ending = "ForCTC" if name.endswith("own") else "Model"
    torch.manual_seed(7)
    config = getattr(transformers, f"{kind}Config")(**SIZES, **more)
    getattr(transformers, kind + ending)(config).save_pretrained(folder)
    large = more is LARGE
    transformers.Wav2Vec2FeatureExtractor(
        do_normalize=large, return_attention_mask=large
    ).save_pretrained(folder)
    if ending == "ForCTC":
        tokens = {token: number for number, token in enumerate(OWN)}
        (folder / "vocab.json").write_text(json.dumps(tokens))
        about = {"tokenizer_class": "Wav2Vec2CTCTokenizer", "do_lower_case": False}
        (folder / "tokenizer_config.json").write_text(json.dumps(about))
    (folder / "README.md").write_text(CARD.format(task=TASK))
    return folder


def write_spelt(path: Path, text: str, dice: np.random.Generator) -> Path:
    """Write a clip in which each letter of a text is a tone of 0.1 s, and a space is none."""
    times = np.arange(RATE // 10) / RATE
    sound = [np.zeros(RATE // 20)]
    for letter in text:
        tone = 0.4 * np.sin(2 * np.pi * TONES.get(letter, 0.0) * times)
        sound += [tone, np.zeros(3 * RATE // 50)]
    noisy = np.concatenate(sound)
    noisy += dice.normal(0, 0.01, len(noisy))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((noisy.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def spelt_clips(folder: Path) -> Path:
    """Write 72 clips and a table of what each says, a third of them to test; return the table."""
    folder.mkdir()
    dice = np.random.default_rng(0)
    table = folder / "clips.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "text", "split"])
        for number in range(72):
            letters = "".join(dice.choice(list("abc"), int(dice.integers(1, 4))))
            text = f"{letters[0]} {letters[1:]}".strip() if number % 4 == 0 else letters
            path = write_spelt(folder / f"{number}.wav", text, dice)
            rows.writerow([path.name, text, "train" if 8 <= number < 56 else "test"])
    return table
