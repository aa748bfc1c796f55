"""Pictures as batches of pixels: the image processor of a base, and views to train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.errors import BadOption
from ...transfer.contents import digest_of
from ...transfer.views import split_view
from ..networks.files import copy_those
from .pictures import read_picture
from .views import Augmentation, view

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image
    from torch import Tensor

FILES = ("preprocessor_config.json",)
PATCH = 8  # pixels a side of what counts as one position
WIDE, TALL = (64, 48), (48, 64)  # pixels of two pictures that a processor is tried on


class Pixels:
    """A base's image processor, as it runs everywhere: by Pillow."""

    def __init__(self, base: Path, views: Augmentation) -> None:
        self._base, self._views = base, views
        self._processor = _processor(base)
        self.shape = _shape(self._processor)

    @property
    def identity(self) -> str:
        """How pictures are scaled, and how views of them are made."""
        return f"{'x'.join(map(str, self.shape))} pixels, views {self._views}"

    def sizes(self, pictures: Sequence[str]) -> list[int]:
        """Return how many patches of 8 x 8 pixels each picture has, once scaled: all alike."""
        return [self.shape[-2] * self.shape[-1] // PATCH**2] * len(pictures)

    def batch(self, pictures: Sequence[str], device: torch.device) -> Mapping[str, Tensor]:
        """Return pixel values [pictures, channels, height, width]."""
        import torch

        pixels = _scaled(self._processor, [self._read(each) for each in pictures])
        # Convolutions on a processor are faster where the channels of a pixel lie together.
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        return {"pixel_values": pixels.to(device)}

    def outline(self, pictures: Sequence[str], device: torch.device) -> Mapping[str, Tensor]:
        """Return one picture that is all zero: nothing is read, and no more goes through a stem."""
        import torch

        return {"pixel_values": torch.zeros(1, *self.shape, device=device)}

    def contents(self, pictures: Sequence[str]) -> list[str]:
        """Return the digest of each picture's file, and which view of it this is."""
        split = (split_view(each) for each in pictures)
        return [f"{digest_of(path)} {number}" for path, number in split]

    def save(self, folder: Path) -> None:
        """Write the image processor's file."""
        copy_those(FILES, self._base, folder)

    def describe(self, pictures: Sequence[str], pooling: str) -> dict[str, Any]:
        """Return how pictures are read, scaled and pooled."""
        height, width = self.shape[-2:]
        how = (
            "pictures as 8-bit RGB, upright, over white, scaled by the base's image processor to "
            f"{width} x {height} pixels; {pooling}"
        )
        return {"rows": len(pictures), "how": how}

    def _read(self, each: str) -> Image:
        path, number = split_view(each)
        picture = read_picture(path)
        if not number:
            return picture
        # A seed of the picture's own, so that not all pictures change alike.
        return view(picture, number, int(digest_of(path)[:8], 16), self._views)


def shape_in(folder: Path) -> tuple[int, ...]:
    """Return the shape of a picture once the image processor in a folder has scaled it."""
    return _shape(_processor(folder))


def _processor(folder: Path) -> Any:
    from transformers import AutoImageProcessor

    load: Any = AutoImageProcessor.from_pretrained
    return load(folder, backend="pil")


def _scaled(processor: Any, pictures: Sequence[Image]) -> Tensor:
    found: Tensor = processor(list(pictures), return_tensors="pt")["pixel_values"]
    return found


def _shape(processor: Any) -> tuple[int, ...]:
    """Return the shape of a picture once scaled; raises where that depends on the picture."""
    from PIL import Image

    both = [_scaled(processor, [Image.new("RGB", size)]).shape[1:] for size in (WIDE, TALL)]
    if both[0] != both[1] or len(both[0]) != 3:
        raise BadOption(
            "the base takes pictures of many shapes, and those can't go in batches",
            "choose another --base: `hubtl search --task image-classification`",
        )
    return tuple(both[0])
