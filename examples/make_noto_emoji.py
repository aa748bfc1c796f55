"""Make examples/noto-emoji: drawings of things, each in the folder of its Unicode group.

apt-get download fonts-noto-color-emoji unicode-data    (Debian 12; unpack each by dpkg-deb -x)
python examples/make_noto_emoji.py NotoColorEmoji.ttf emoji-test.txt FOLDER
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GROUPS = {
    "Smileys & Emotion": "smileys",
    "People & Body": "people",
    "Animals & Nature": "animals",
    "Food & Drink": "food",
    "Travel & Places": "places",
    "Activities": "activities",
    "Objects": "objects",
    "Symbols": "symbols",
}
EMOJI_STYLE = "FE0F"  # a character that only asks for colour
TEST = 500
DRAWN, SIDE, QUALITY = 109, 96, 75  # pixels the font has, pixels kept, WebP's own scale
NEAR = 6.0  # of 255: closer small copies than this are one drawing, such as two clock faces


def emoji(listed: Path) -> Iterator[tuple[str, str, str]]:
    """Return the group, name and character of each emoji that is one code point and no flag."""
    group = ""
    for line in listed.read_text(encoding="utf-8").splitlines():
        if line.startswith("# group: "):
            group = GROUPS.get(line.removeprefix("# group: "), "")
        points, _, rest = line.partition(";")
        kind, _, told = rest.partition("#")
        codes = [code for code in points.split() if code != EMOJI_STYLE]
        if group and kind.strip() == "fully-qualified" and len(codes) == 1:
            name = told.split(maxsplit=2)[2].lower()
            plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
            yield group, "-".join(filter(None, plain.split("-"))), chr(int(codes[0], 16))


def drawn(character: str, font: ImageFont.FreeTypeFont) -> Image.Image | None:
    """Return a picture on white, SIDE pixels a side; None where the font has none."""
    box = font.getbbox(character)
    size = max(int(box[2] - box[0]), int(box[3] - box[1]))
    if not size:
        return None
    picture = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((-box[0], -box[1]), character, font=font, embedded_color=True)
    if not np.ptp(np.asarray(picture)):
        return None
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def distinct(pictures: dict[str, Image.Image]) -> list[str]:
    """Return the names of pictures that are no near-copies of one before."""
    kept: list[str] = []
    small = np.empty((len(pictures), 16 * 16 * 3), "float32")
    for name, picture in pictures.items():
        pixels = np.asarray(picture.resize((16, 16), Image.Resampling.BOX), "float32").ravel()
        if not kept or np.abs(small[: len(kept)] - pixels).mean(1).min() > NEAR:
            small[len(kept)] = pixels
            kept.append(name)
    return kept


def split(names: list[str]) -> dict[str, str]:
    """Return `test` for the first TEST names in the order of their hashes, `train` for others."""
    order = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return {name: "test" if place < TEST else "train" for place, name in enumerate(order)}


def main(font_file: str, listed: str, folder: str) -> None:
    """Write the pictures, each to SPLIT/GROUP/NAME.webp."""
    font = ImageFont.truetype(font_file, DRAWN)
    found = {f"{group}/{name}": drawn(c, font) for group, name, c in emoji(Path(listed))}
    pictures = {name: picture for name, picture in found.items() if picture}
    for name, part in split(distinct(pictures)).items():
        path = Path(folder, part, f"{name}.webp")
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures[name].save(path, quality=QUALITY, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
