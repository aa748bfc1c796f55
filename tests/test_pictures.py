"""A picture is read one way everywhere; what can't be is told; views and rivals keep their word."""

from __future__ import annotations

import inspect
import logging
import os
import struct
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image, ImageCms, ImageFile

from hubtl.plugins.vision.pictures import ENDINGS, FORMATS, check_picture, read_picture
from hubtl.plugins.vision.probe_inputs import PROBE_INPUTS
from hubtl.plugins.vision.views import Augmentation, view
from hubtl.registry.errors import BadData

from .test_pictures_fuzz import tiff

SOURCE = inspect.getsource(read_picture)
BROWN = (200, 100, 50)


def saved(picture: Image.Image, name: str, **options: Any) -> Path:
    path = Path(name)
    picture.save(path, **options)
    check_picture(path)
    return path


def pixels(path: Path) -> numpy.ndarray:
    picture = read_picture(str(path))
    assert picture.mode == "RGB"
    return numpy.asarray(picture, "int64")


def scene(width: int = 24, height: int = 16) -> Image.Image:
    return Image.fromarray(
        numpy.random.default_rng(1).integers(0, 256, (height, width, 3), "uint8")
    )


def test_the_source_of_reading_runs_on_its_own_in_a_process_that_has_no_hubtl(tmp_path):
    path = saved(scene(), "scene.png")
    code = f"import sys\nsys.path = [p for p in sys.path if p]\n{SOURCE}\n"
    code += f"sys.stdout.buffer.write(read_picture({str(path)!r}).tobytes())\n"
    code += "assert 'hubtl' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert (done.stderr, done.stdout) == (b"", scene().tobytes())
    assert max(map(len, SOURCE.splitlines())) <= 88 and len(SOURCE.splitlines()) <= 32


def test_reading_opens_the_formats_that_are_checked_and_no_others():
    assert str(FORMATS).replace("'", '"') in SOURCE
    Image.init()
    assert {Image.EXTENSION[ending] for ending in ENDINGS} == set(FORMATS)


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_read_upright(ending, orientation):
    ways = Image.Transpose
    undone = [None, None, ways.FLIP_LEFT_RIGHT, ways.ROTATE_180, ways.FLIP_TOP_BOTTOM]
    undone += [ways.TRANSPOSE, ways.ROTATE_90, ways.TRANSVERSE, ways.ROTATE_270]
    way, exif = undone[orientation], Image.Exif()
    exif[0x0112] = orientation
    lying = scene() if way is None else scene().transpose(way)
    more = {"lossless": True} if ending == "webp" else {}
    path = saved(lying, f"lying.{ending}", exif=exif, **more)
    assert numpy.array_equal(pixels(path), numpy.asarray(scene()))


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_what_is_transparent_is_over_white(ending):
    picture = Image.new("RGBA", (3, 1), (*BROWN, 255))
    picture.putpixel((1, 0), (*BROWN, 0))
    picture.putpixel((2, 0), (*BROWN, 51))
    more = {"lossless": True, "exact": True} if ending == "webp" else {}
    read = pixels(saved(picture, f"clear.{ending}", **more))
    assert read.tolist() == [[[200, 100, 50], [255, 255, 255], [244, 224, 214]]]


@pytest.mark.parametrize(
    ("mode", "name", "options", "read"),
    [
        ("P", "index.png", {"transparency": 0}, [255, 0, 0]),
        ("P", "shares.png", {"transparency": bytes([0, 255, 51])}, [255, 0, 204]),
        ("P", "index.gif", {"transparency": 0}, [255, 0, 0]),
        ("L", "key.png", {"transparency": 1}, [0, 255, 2]),
        ("LA", "grey.png", {}, [255, 1, 204]),
        ("LA", "grey.tif", {}, [255, 1, 204]),
        ("I;16", "deep.png", {"transparency": 1}, [0, 255, 0]),
        ("1", "bits.png", {"transparency": 0}, [255, 255, 255]),
    ],
)  # fmt: skip
def test_transparent_colours_and_palettes_are_over_white(mode, name, options, read):
    values = numpy.array([[0, 1, 2]], "uint16" if mode == "I;16" else "uint8")
    picture = Image.fromarray(values)
    if mode == "P":
        picture.putpalette([9, 0, 0, 0, 0, 0, 0, 0, 9])
    elif mode == "LA":
        picture.putalpha(Image.fromarray(numpy.array([[0, 255, 51]], "uint8")))
    elif mode == "1":
        picture = Image.fromarray(numpy.array([[False, True, True]]))
    assert pixels(saved(picture, name, **options))[0, :, 1].tolist() == read


def test_colours_that_are_multiplied_by_their_share_are_over_white():
    picture = Image.new("LA", (1, 1), (20, 51))
    path = saved(picture, "shares.tif")
    kinds = [struct.pack("<HHIHH", 338, 3, 1, kind, 0) for kind in (2, 1)]
    path.write_bytes(path.read_bytes().replace(*kinds))
    with Image.open(path) as file:
        assert file.mode == "La"
    assert pixels(path).tolist() == [[[224] * 3]]


GREY = numpy.arange(65_536, dtype="uint16").reshape(256, 256)


@pytest.mark.parametrize(
    ("name", "values", "top"),
    [
        ("sixteen.png", GREY, 65_535),
        ("sixteen.tif", GREY, 65_535),
        ("sixteen.pgm", GREY, 65_535),
        ("dark.tif", GREY // 100, 65_535),
        ("whole.tif", GREY.astype("int32"), 65_535),
        ("large.tif", GREY.astype("int32") * 10, 655_350),
        ("share.tif", (GREY / 65_535).astype("float32"), 1),
        ("bytes.tif", (GREY / 257).astype("float32"), 255),
        ("counts.tif", GREY.astype("float32"), 65_535),
        ("beyond.tif", GREY.astype("float32") * 1e9, 65_535e9),
        ("black.tif", numpy.zeros((4, 4), "float32"), 1),
    ],
)
def test_more_than_eight_bits_of_grey_are_scaled_not_clipped(name, values, top):
    read = pixels(saved(Image.fromarray(values), name))
    assert numpy.abs(read - values[..., None] / top * 255).max() <= 0.51


def test_big_endian_and_signed_grey_and_numbers_that_are_none_are_read():
    big = Image.frombytes("I;16B", (256, 256), GREY.astype(">u2").tobytes())
    assert numpy.array_equal(pixels(saved(big, "big.tif"))[..., 0], (GREY / 257).round())
    signed = Image.fromarray(GREY.astype("int32") - 32_768)
    assert numpy.array_equal(pixels(saved(signed, "signed.tif"))[..., 0], (GREY / 257).round())
    odd = Image.fromarray(numpy.array([[numpy.nan, numpy.inf, -numpy.inf, 1]], "float32"))
    assert pixels(saved(odd, "odd.tif"))[0, :, 0].tolist() == [0, 0, 0, 255]


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB"])
def test_other_ways_to_write_colours_are_read_as_rgb(mode):
    picture = Image.new("RGB", (4, 4), BROWN)
    if mode == "LAB":
        ways = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        picture = ImageCms.buildTransform(*ways, "RGB", "LAB").apply(picture)
    else:
        picture = picture.convert(mode)
    assert numpy.abs(pixels(saved(picture, "colours.tif")) - BROWN).max() <= 1


@pytest.mark.parametrize("ending", ["gif", "png", "tif", "webp"])
def test_of_an_animation_the_first_frame_is_read(ending):
    more = {"lossless": True} if ending == "webp" else {}
    later = [Image.new("RGB", (8, 8), "blue"), Image.new("RGB", (8, 8), "lime")]
    first = Image.new("RGB", (8, 8), "red")
    path = saved(first, f"frames.{ending}", save_all=True, append_images=later, **more)
    assert numpy.unique(pixels(path).reshape(-1, 3), axis=0).tolist() == [[255, 0, 0]]


@pytest.mark.parametrize("name", ["photo.jpg", "photo.dat", "photo.heic", "photo"])
def test_an_ending_may_lie(name):
    saved(scene(), "scene.png").rename(name)
    check_picture(Path(name))
    assert numpy.array_equal(pixels(Path(name)), numpy.asarray(scene()))


@pytest.mark.parametrize(
    ("name", "raw", "told", "hint"),
    [
        ("a.png", b"", "is empty", "copy or download"),
        ("a.png", b"hello", "is no picture of a kind that is read", "convert it to JPEG or PNG"),
        ("a.jpg", b"\n<!DOCTYPE html><p>404", "is a web page", "download the picture itself"),
        ("a.jpg", b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS",
         "git lfs pull"),
        ("a.svg", b"<svg></svg>", "is an SVG drawing", "convert it"),
        ("a.svg", b"\xef\xbb\xbf<?xml version='1.0'?>", "is an XML document", "convert it"),
        ("a.jpg", b"\0\0\0\x18ftypheic" + bytes(99), "is a HEIC picture", "convert it"),
        ("a.heic", b"?" * 99, "is no picture", "convert it"),
        ("a.mp4", b"\0\0\0\x18ftypisom" + bytes(99), "is a film", "take pictures out of it"),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is a PostScript program",
         "convert it"),
        ("a.png", b"%PDF-1.7", "is a PDF document", "convert its pages"),
        ("a.raw", b"?" * 99, "is a camera's raw picture", "convert it"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "is cut off or damaged", "copy or download"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_told_for_what_it_is(name, raw, told, hint):
    Path(name).write_bytes(raw)
    with pytest.raises(BadData) as caught:
        check_picture(Path(name))
    assert caught.value.message.startswith(f"`{name}` {told}") and hint in caught.value.hint


def test_a_raw_picture_of_a_camera_is_not_read_as_its_thumbnail():
    scene().save("thumbnail.tif")
    Path("thumbnail.tif").rename("photo.NEF")
    with pytest.raises(BadData, match="`photo.NEF` is a camera's raw picture"):
        check_picture(Path("photo.NEF"))


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tif", "webp", "ppm", "avif"])
def test_a_picture_that_is_cut_off_anywhere_is_told(ending):
    path = saved(scene(96, 80), f"whole.{ending}")
    raw = path.read_bytes()
    for share in (0.01, 0.1, 0.5, 0.9):
        path.write_bytes(raw[: int(len(raw) * share)])
        with pytest.raises(BadData, match=f"`whole.{ending}` is .*(cut off|damaged|no picture)"):
            check_picture(path)


def test_a_folder_a_pipe_and_nothing_are_no_files(tmp_path):
    os.mkfifo("pipe.png")
    for name, told in {".": "is not a file", "pipe.png": "is not", "no.png": "does not"}.items():
        with pytest.raises(BadData, match=told):
            check_picture(Path(name))


def test_a_strip_of_which_nothing_would_be_left_is_told():
    saved(Image.new("1", (100, 1)), "line.png")
    Image.new("1", (1, 60_000)).save("strip.png")
    with pytest.raises(BadData, match="`strip.png` is too narrow a strip: 1 x 60000 pixels"):
        check_picture(Path("strip.png"))


def test_neither_warnings_nor_log_lines_escape_and_pillow_is_left_as_it_was(monkeypatch, capfd):
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a title", 6
    length, too_long = struct.pack(">HHI", 0x010E, 2, 8), struct.pack(">HHI", 0x010E, 2, 9999)
    scene().save("warned.jpg", exif=exif)
    Path("warned.jpg").write_bytes(Path("warned.jpg").read_bytes().replace(length, too_long))
    Path("logged.tif").write_bytes(tiff(8, 8, t277=60))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200)
    filters, log = list(warnings.filters), logging.getLogger("PIL")
    before = (log.propagate, list(log.handlers), log.level)

    with pytest.warns() as told, Image.open("warned.jpg"):
        assert {each.category for each in told} == {UserWarning, Image.DecompressionBombWarning}
    check_picture(Path("warned.jpg"))
    assert read_picture("warned.jpg").size == (16, 24)
    with pytest.raises(BadData, match="logged.tif"):
        check_picture(Path("logged.tif"))

    assert capfd.readouterr() == ("", "")
    assert list(warnings.filters) == filters and not ImageFile.LOAD_TRUNCATED_IMAGES
    assert (log.propagate, list(log.handlers), log.level) == before


def test_twenty_small_pictures_prove_an_adapter():
    paths = [Path(path) for path in PROBE_INPUTS]
    assert len(paths) == 20 and all(path.is_absolute() for path in paths)
    assert [int(path.name[:2]) for path in paths] == list(range(1, 21))
    assert sum(path.stat().st_size for path in paths) <= 60_000
    for path in paths:
        check_picture(path)
        assert all(64 <= side <= 96 for side in read_picture(str(path)).size)
    assert {path.read_bytes()[25] for path in paths} >= {0, 2, 6}  # PNG's grey, RGB and RGBA


def test_a_view_is_the_same_for_the_same_numbers_and_another_for_others():
    picture = scene(60, 40)
    assert view(picture, 0, seed=3) is picture
    made = [view(picture, number, seed) for seed in (3, 4) for number in range(1, 9)]
    assert len({each.tobytes() for each in made}) == 16
    assert {(each.mode, each.size) for each in made} == {("RGB", (60, 40))}
    again = [view(picture, number, seed) for seed in (3, 4) for number in range(1, 9)]
    assert [each.tobytes() for each in again] == [each.tobytes() for each in made]


def test_a_view_changes_no_more_than_it_may():
    picture = scene(60, 40)
    still = Augmentation(flip=False, crop=1, rotate=0, colour=0)
    assert all(view(picture, n, 0, still).tobytes() == picture.tobytes() for n in range(1, 20))
    turned = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).tobytes()
    flips = [view(picture, n, 0, Augmentation(True, 1, 0, 0)).tobytes() for n in range(1, 40)]
    assert set(flips) == {picture.tobytes(), turned} and 10 < flips.count(turned) < 30
    ramp = Image.fromarray(numpy.tile(numpy.arange(256, dtype="uint8"), (256, 1))).convert("RGB")
    for number in range(1, 60):
        cut = view(ramp, number, 0, Augmentation(False, 0.6, 0, 0)).getextrema()[0]
        assert cut[1] - cut[0] >= 255 * (0.6 * 3 / 4) ** 0.5 - 3
