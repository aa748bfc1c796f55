"""Pictures: EfficientNet-Lite0, as examples/pytorch/image-classification.

Its RandomResizedCrop and flip come from torchvision; here they are the same draws in Pillow. Both
sides read pictures alike: upright, transparent parts over white.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from .training import Example, Rows, loaded

AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)  # torchvision's own
ATTEMPTS = 10


def example(base: Path, rows: dict[str, Any], seed: int) -> Example:
    """Return what the example does: another crop of each picture in each epoch, 8 rows a batch.

    Cropped and judged at the size that the base was trained for.
    """
    import numpy
    from PIL.Image import Resampling, Transpose
    from transformers import AutoImageProcessor

    from hubtl.plugins.vision.pictures import read_picture

    load: Any = AutoImageProcessor.from_pretrained
    processor = load(base, backend="pil")
    side = processor.crop_size["height"] if processor.do_center_crop else processor.size["height"]
    dice = numpy.random.default_rng(seed)

    def cropped(path: str) -> dict[str, Any]:
        picture = read_picture(path)
        box = random_box(dice, picture.size)
        picture = picture.resize((side, side), Resampling.BILINEAR, box)
        if dice.random() < 0.5:
            picture = picture.transpose(Transpose.FLIP_LEFT_RIGHT)
        return pixels(picture, do_resize=False, do_center_crop=False)

    def whole(path: str) -> dict[str, Any]:
        return pixels(read_picture(path))

    def pixels(picture: Any, **how: bool) -> dict[str, Any]:
        return {"pixel_values": processor(picture, return_tensors="pt", **how)["pixel_values"][0]}

    train = Rows(rows["train"], rows["labels"], cropped)
    test = Rows(rows["test"], rows["labels"], whole)
    model = loaded("AutoModelForImageClassification", base, rows["labels"], seed)
    return Example(model, train, test, 8, arguments={"remove_unused_columns": False})


def random_box(dice: Any, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return a box as torchvision's RandomResizedCrop draws it."""
    width, height = size
    for _ in range(ATTEMPTS):
        area = width * height * dice.uniform(*AREA)
        ratio = math.exp(dice.uniform(*(math.log(each) for each in RATIO)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = dice.integers(0, width - w + 1), dice.integers(0, height - h + 1)
            return left, top, left + w, top + h
    side = min(size)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side
