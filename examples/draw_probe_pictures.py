"""Draw the twenty pictures of plugins/vision/probe_inputs.

With the versions of constraints.txt it draws the same pixels again. They may not change: adapters
that were published are proven by them.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

FOLDER = Path(__file__).parent.parent / "plugins" / "vision" / "probe_inputs"
SIDE = 80
RANDOM = numpy.random.default_rng(20)
ACROSS, DOWN = numpy.meshgrid(numpy.linspace(0, 1, SIDE), numpy.linspace(0, 1, SIDE))
Colour = tuple[int, ...] | str


def canvas(
    colour: Colour, size: tuple[int, int] = (SIDE, SIDE), mode: str = "RGB"
) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return a picture of one colour, and what draws on it."""
    picture = Image.new(mode, size, colour)
    return picture, ImageDraw.Draw(picture)


def mixed(share: NDArray[numpy.float64], first: Colour, second: Colour) -> Image.Image:
    """Return the picture that has of the second colour so large a share at each pixel."""
    one, two = numpy.array(first), numpy.array(second)
    pixels = one + share.clip(0, 1)[..., None] * (two - one)
    return Image.fromarray(pixels.round().astype("uint8"))


def shapes() -> dict[str, Image.Image]:
    """Return pictures of figures with edges."""
    drawn = {}
    drawn["circle"], draw = canvas("white")
    draw.ellipse((14, 14, 66, 66), "crimson")
    drawn["square"], draw = canvas("midnightblue")
    draw.rectangle((20, 24, 60, 64), "gold", "white", 3)
    drawn["triangle"], draw = canvas("honeydew")
    draw.polygon([(40, 10), (70, 68), (10, 68)], "seagreen")
    drawn["star"], draw = canvas("black")
    corners = [(n * math.pi / 5, radius) for n, radius in enumerate([34, 14] * 5)]
    draw.polygon([(40 + r * math.sin(a), 42 - r * math.cos(a)) for a, r in corners], "orange")
    drawn["face"], draw = canvas("lightskyblue")
    draw.ellipse((10, 10, 70, 70), "moccasin", "saddlebrown", 2)
    draw.ellipse((26, 30, 34, 38), "black")
    draw.ellipse((46, 30, 54, 38), "black")
    draw.arc((26, 34, 54, 58), 20, 160, "firebrick", 3)
    drawn["house"], draw = canvas("skyblue")
    draw.rectangle((0, 60, 80, 80), "olivedrab")
    draw.rectangle((20, 36, 60, 66), "wheat")
    draw.polygon([(14, 36), (40, 14), (66, 36)], "brown")
    draw.rectangle((36, 48, 46, 66), "sienna")
    return drawn


def textures() -> dict[str, Image.Image]:
    """Return pictures of gradients, of patterns and of noise."""
    stripes = numpy.sin(ACROSS * 40 + DOWN * 25) / 2 + 0.5
    checks = ((ACROSS * 8).astype(int) + (DOWN * 8).astype(int)) % 2
    rings = numpy.cos(numpy.hypot(ACROSS - 0.5, DOWN - 0.5) * 60) / 2 + 0.5
    light = numpy.exp(-8 * ((ACROSS - 0.4) ** 2 + (DOWN - 0.35) ** 2))
    noise = RANDOM.integers(0, 256, (10, 10, 3)).astype("uint8")
    grain = RANDOM.random((SIDE, SIDE)).round(1)
    return {
        "gradient": mixed((ACROSS + DOWN) / 2, (20, 30, 120), (250, 190, 90)),
        "stripes": mixed(stripes, (240, 240, 230), (180, 20, 60)),
        "checks": mixed(checks.astype(float), (30, 30, 30), (230, 220, 190)),
        "rings": mixed(rings, (10, 90, 80), (220, 240, 160)),
        "light": mixed(light, (25, 10, 40), (255, 240, 200)),
        "blur": Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC),
        "grain": mixed(grain * DOWN, (200, 210, 220), (60, 50, 40)),
    }


def others() -> dict[str, Image.Image]:
    """Return pictures of strokes as of writing, and of other sizes and other modes."""
    drawn = {}
    drawn["writing"], draw = canvas("ivory")
    for line in range(12, 72, 10):
        for left in range(8, 70, 5):
            x, y, to_x, to_y = (int(n) for n in RANDOM.integers(-4, 5, 4))
            draw.line((left + x, line + y, left + to_x, line + to_y), "navy", 1)
    drawn["digits"], draw = canvas("white", mode="L")
    draw.line([(12, 24), (22, 14), (22, 66)], 0, 5)
    draw.ellipse((36, 14, 66, 66), None, 60, 6)
    drawn["grey"] = Image.fromarray(((ACROSS * DOWN) ** 0.5 * 255).astype("uint8"))
    drawn["leaf"], draw = canvas((0, 0, 0, 0), mode="RGBA")
    draw.chord((8, 8, 72, 72), 20, 200, (40, 140, 60, 255))
    draw.line((12, 30, 68, 50), (20, 80, 30, 128), 4)
    drawn["horizon"], draw = canvas("lightblue", (96, 64))
    draw.polygon([(0, 44), (30, 18), (52, 40), (70, 28), (96, 46), (96, 64), (0, 64)], "slategray")
    drawn["tower"], draw = canvas("lavender", (64, 96))
    draw.rectangle((24, 20, 40, 96), "dimgray")
    for floor in range(26, 92, 12):
        draw.rectangle((28, floor, 36, floor + 5), "yellow")
    drawn["dark"], draw = canvas((8, 8, 12))
    for x, y in RANDOM.integers(4, SIDE - 4, (30, 2)):
        draw.point((int(x), int(y)), "white")
    drawn["dark"] = drawn["dark"].filter(ImageFilter.GaussianBlur(0.6))
    return drawn


if __name__ == "__main__":
    pictures = {**shapes(), **textures(), **others()}
    for number, (name, picture) in enumerate(pictures.items(), 1):
        picture.save(FOLDER / f"{number:02}-{name}.png", optimize=True)
