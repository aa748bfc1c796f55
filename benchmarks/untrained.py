"""The same network with random weights: what a base is without what it learned."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CALIBRATED = 128  # inputs that norms with running statistics count


def write_untrained(base: Path, folder: Path, pictures: Sequence[str], seed: int) -> None:
    """Write a folder like the base's, with weights drawn anew.

    transformers draws them; but convolutions of pictures as in He et al. 2015, with scales of 1 in
    the norms and running statistics of these pictures, since its own draw lets nothing through.
    What is an exact identity in the base (weights that are all zero) stays one.
    """
    import torch
    import transformers

    left_out = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(base, folder, ignore=left_out, copy_function=shutil.copyfile)
    torch.manual_seed(seed)
    config = json.loads((base / "config.json").read_text("utf-8"))
    kind = getattr(transformers, config["architectures"][0])
    trained = kind.from_pretrained(base, dtype=torch.float32)
    fresh = kind(trained.config)
    if pictures:
        draw_convolutions(fresh, trained)
        calibrate(fresh, base, pictures)
    fresh.save_pretrained(folder)


def draw_convolutions(fresh: Any, trained: Any) -> None:
    """Draw convolutions by He's rule, and let norms pass on what they get."""
    import torch
    from torch import nn

    before = dict(trained.named_modules())
    for name, module in fresh.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d) and not before[name].weight.any():
            module.load_state_dict(before[name].state_dict())
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)


def calibrate(fresh: Any, base: Path, pictures: Sequence[str]) -> None:
    """Let the norms count the mean and the spread of some pictures."""
    import torch
    from transformers import AutoImageProcessor

    from hubtl.plugins.vision.pictures import read_picture

    load: Any = AutoImageProcessor.from_pretrained
    processor = load(base, backend="pil")
    norms = [module for module in fresh.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the mean of all batches
    fresh.eval()
    for norm in norms:
        norm.train()
    some = pictures[:: max(1, len(pictures) // CALIBRATED)][:CALIBRATED]
    with torch.no_grad():
        for start in range(0, len(some), 16):
            read = [read_picture(path) for path in some[start : start + 16]]
            fresh(**processor(read, return_tensors="pt"))
    fresh.eval()
