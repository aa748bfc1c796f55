"""Views of a picture to train on: the same for the same numbers, so that they can be kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL.Image import Image

RATIO = 4 / 3


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a view may be from its picture.

    `crop` is the least share of the area that is kept, `rotate` the most degrees to either side,
    `colour` the most that brightness, contrast and saturation change, as a share; `flip` is
    whether left and right may change places.
    """

    flip: bool = True
    crop: float = 0.6
    rotate: float = 10
    colour: float = 0.2


USUAL = Augmentation()


def view(picture: Image, number: int, seed: int, how: Augmentation = USUAL) -> Image:
    """Return a view of an RGB picture, of the same size; number 0 is the picture as it is.

    Cropped at random and stretched back, as in Szegedy et al. 2015, and flipped, turned and
    recoloured. All pictures have the same changes for the same number and seed.
    """
    import numpy
    from PIL.Image import Resampling, Transpose

    if number == 0:
        return picture
    # Drawn one after the other whether used or not: an option changes its own effect alone.
    random = numpy.random.default_rng([seed, number])
    angle = random.uniform(-how.rotate, how.rotate)
    box = _box(random, picture.size, how.crop)
    flipped = random.random() < 0.5
    factors = random.uniform(1 - how.colour, 1 + how.colour, 3).tolist()
    if angle:
        # The corners that come in have the mean colour, which says least.
        mean = picture.resize((1, 1), Resampling.BOX).getpixel((0, 0))
        picture = picture.rotate(angle, Resampling.BICUBIC, fillcolor=mean)
    picture = picture.resize(picture.size, Resampling.BICUBIC, box)
    if flipped and how.flip:
        picture = picture.transpose(Transpose.FLIP_LEFT_RIGHT)
    return _recoloured(picture, factors)


def _box(
    random: Generator, size: tuple[int, int], least: float
) -> tuple[float, float, float, float]:
    """Return the box of a part of a picture: its area from `least` to 1, its ratio to RATIO."""
    area = random.uniform(least, 1)
    # Stretched no further than to the picture's own sides, so that the area stays what it is.
    most = min(math.log(RATIO), -math.log(area)) / 2
    stretch = math.exp(random.uniform(-1, 1) * most)
    width = min(size[0], size[0] * math.sqrt(area) * stretch)
    height = min(size[1], size[1] * math.sqrt(area) / stretch)
    left, top = random.uniform(0, size[0] - width), random.uniform(0, size[1] - height)
    return left, top, min(size[0], left + width), min(size[1], top + height)


def _recoloured(picture: Image, factors: list[float]) -> Image:
    """Return the picture with its brightness, contrast and saturation times these factors."""
    from PIL import ImageEnhance

    enhancers = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
    for enhancer, factor in zip(enhancers, factors, strict=True):
        picture = enhancer(picture).enhance(factor)
    return picture
