"""200 broken pictures: each is an error that names it, or is read; soon, and in little memory."""

from __future__ import annotations

import io
import json
import random
import resource
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from hubtl.plugins.vision.pictures import check_picture, read_picture
from hubtl.registry.errors import BadData

from .conftest import ROOT

COUNT = 200
SECONDS = 3.0
GROWTH = 100 << 20
ADDRESSES = 3 << 30


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def whole_pictures() -> list[tuple[str, bytes]]:
    """Return the ending and the bytes of pictures of each format, in several of its ways."""
    noise = numpy.random.default_rng(0).integers(0, 256, (40, 50, 3), "uint8")
    noise[10:30, 10:40] = (200, 80, 20)
    rgb = Image.fromarray(noise)
    grey, table = rgb.convert("L"), rgb.quantize(64)
    clear, ink = rgb.convert("RGBA"), rgb.convert("CMYK")
    clear.putalpha(grey)
    deep = Image.fromarray(numpy.asarray(grey, "uint16") * 257)
    real = Image.fromarray(numpy.asarray(grey, "float32") / 255)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "turned"
    frames = {"save_all": True, "append_images": [grey, rgb], "duration": 20}
    return [
        *((".png", encoded(each, "PNG")) for each in (rgb, clear, deep, grey.convert("1"))),
        (".png", encoded(table, "PNG", transparency=3, exif=exif)),
        *((".jpg", encoded(each, "JPEG", exif=exif)) for each in (rgb, grey, ink)),
        (".jpg", encoded(rgb, "JPEG", progressive=True)),
        (".jpg", encoded(rgb, "MPO", save_all=True, append_images=[grey])),
        *((".gif", encoded(each, "GIF", **frames)) for each in (rgb, clear)),
        (".gif", encoded(table, "GIF", transparency=3, interlace=True)),
        *((".bmp", encoded(each, "BMP")) for each in (rgb, table, clear, grey.convert("1"))),
        *((".tif", encoded(each, "TIFF")) for each in (rgb, clear, deep, real, ink, table)),
        *((".tif", encoded(rgb, "TIFF", compression=c)) for c in ("tiff_lzw", "jpeg", "packbits")),
        (".tif", encoded(real, "TIFF", compression="tiff_adobe_deflate", exif=exif)),
        (".tif", encoded(grey.convert("1"), "TIFF", compression="group4")),
        *((".webp", encoded(each, "WEBP", exif=exif)) for each in (rgb, clear)),
        *((".webp", encoded(rgb, "WEBP", lossless=lossless, **frames)) for lossless in (0, 1)),
        *((".ppm", encoded(each, "PPM")) for each in (rgb, grey, grey.convert("1"))),
    ]


def damaged(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    """Return a file's bytes cut, changed, spliced with another's, or with a piece moved."""
    at = chance.randrange(len(raw) + 1)
    way = chance.choice(["cut", "flip", "flip", "head", "splice", "move", "number"])
    if way == "cut":
        return raw[:at]
    if way == "splice":
        return raw[:at] + other[chance.randrange(len(other)) :]
    if way == "move":
        start = chance.randrange(len(raw) + 1)
        return raw[:at] + raw[start : start + chance.randrange(400)] + raw[at:]
    changed = bytearray(raw)
    if way == "number":  # a length, an offset or a size, as files of these formats have them
        extreme = chance.choice([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 60_000])
        number = extreme.to_bytes(4, chance.choice(["big", "little"]))
        at = chance.randrange(max(1, min(len(raw), 200)))
        changed[at : at + 4] = number
        return bytes(changed)
    reach = len(raw) if way == "flip" else min(len(raw), 120)
    for _ in range(chance.randint(1, 12) if reach else 0):
        changed[chance.randrange(reach)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def broken_pictures(folder: Path, count: int, seed: int) -> None:
    """Write so many broken files, of each format in turn; some with another's ending."""
    chance, whole = random.Random(seed), whole_pictures()
    for number in range(count):
        ending, raw = whole[number % len(whole)]
        for _ in range(chance.randint(1, 2)):
            raw = damaged(chance, raw, chance.choice(whole)[1])
        if chance.random() < 0.05:
            ending = chance.choice(whole)[0]
        (folder / f"{number:05}{ending}").write_bytes(raw)


def told(folder: Path) -> dict[str, Any]:
    """Check each file of a folder; return what each was told, how long it took, and the memory.

    Where a file passes, it is read: that raises what it raises.
    """
    check_picture(sorted(folder.iterdir())[0].with_name("warm-up.png"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    files = {}
    for path in sorted(folder.iterdir()):
        start, error, hint = time.monotonic(), "", ""
        try:
            check_picture(path)
        except BadData as bad:
            error, hint = bad.message, bad.hint
        else:
            picture = read_picture(str(path))
            assert picture.mode == "RGB" and picture.getextrema()
        files[path.name] = (error, hint, time.monotonic() - start)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"files": files, "grown": grown * 1024}


def told_by_a_child(folder: Path) -> dict[str, Any]:
    """Return what `told` does, in a process that is killed if it hangs, or fails if it warns."""
    Image.new("RGB", (2, 2)).save(folder / "warm-up.png")
    code = "import sys, json, pathlib; from tests.test_pictures_fuzz import told\n"
    code += "print(json.dumps(told(pathlib.Path(sys.argv[1]))))"
    command = [sys.executable, "-W", "error", "-c", code, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    # libtiff writes to stderr by itself, past Python.
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["files"].pop("warm-up.png")[0] == ""
    return found


def test_a_broken_picture_is_told_or_read_soon_and_in_little_memory(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    broken_pictures(folder, COUNT, seed=1)
    found = told_by_a_child(folder)
    assert len(found["files"]) == COUNT and found["grown"] < GROWTH
    outcomes: Counter[str] = Counter()
    for name, (error, hint, seconds) in found["files"].items():
        assert seconds < SECONDS, name
        assert (not error and not hint) or (name in error and hint), (name, error, hint)
        outcomes["told" if error else "read"] += 1
    assert min(outcomes.values()) > COUNT / 10 and len(outcomes) == 2, outcomes


def chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def png(side: int, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(min(side * (side * 3 + 1), 1 << 20))))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def tiff(width: int, height: int, **more: int) -> bytes:
    tags = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 277: 1, 278: height}
    tags |= {273: 8, 279: 100} | {int(name.lstrip("t")): value for name, value in more.items()}
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items())]
    body = zlib.compress(bytes(1 << 20))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(body)) + body + directory


def jpeg(side: int, scans: int) -> bytes:
    raw = encoded(Image.new("RGB", (64, 64)), "JPEG", progressive=True)
    size = raw.index(b"\xff\xc2") + 5
    raw = raw[:size] + struct.pack(">HH", side, side) + raw[size + 4 :]
    start = raw.rindex(b"\xff\xda")
    header = raw[start : start + 2 + struct.unpack(">H", raw[start + 2 : start + 4])[0]]
    return raw[:-2] + header * scans + b"\xff\xd9"


def webp(side: int) -> bytes:
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (side - 1).to_bytes(3, "little") * 2
    whole = encoded(Image.new("RGB", (8, 8)), "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", 4 + len(canvas + whole)) + b"WEBP" + canvas + whole


def bombs() -> dict[str, bytes]:
    text = zlib.compress(bytes(200 << 20), 9)
    gif = encoded(Image.new("L", (8, 8)), "GIF")
    bmp = struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, 60_000, 60_000, 1, 24, *[0] * 6)
    return {
        "sides.png": png(60_000),
        "ztxt.png": png(8, chunk(b"zTXt", b"Comment\0\0" + text)),
        "itxt.png": png(8, chunk(b"iTXt", b"Comment\0\1\0\0\0" + text)),
        "profile.png": png(8, chunk(b"iCCP", b"profile\0\0" + text)),
        "sides.gif": gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:],
        "sides.tif": tiff(60_000, 60_000),
        "tile.tif": tiff(64, 64, t322=32_768, t323=32_768, t324=8, t325=100),
        "sides.webp": webp(16_000),
        "sides.jpg": jpeg(60_000, 1),
        "scans.jpg": jpeg(9_000, 20_000),
        "sides.bmp": b"BM" + bmp,
        "sides.ppm": b"P6 60000 60000 255\n" + bytes(1000),
        "plain.ppm": b"P3 9000 9000 255\n" + b"1 " * 1000,
    }


def test_a_bomb_is_refused_by_its_header_in_no_time_and_little_memory(tmp_path: Path) -> None:
    folder = tmp_path / "bombs"
    folder.mkdir()
    for name, raw in bombs().items():
        assert len(raw) < 300_000
        (folder / name).write_bytes(raw)
    found = told_by_a_child(folder)
    for name, (error, hint, seconds) in found["files"].items():
        assert name in error and hint and seconds < 0.5, (name, error, seconds)
        assert "too large" in error or not name.startswith("sides"), error
    assert found["grown"] < 20 << 20
