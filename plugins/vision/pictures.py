"""Pictures: reading one the same way everywhere, and telling what is wrong with a file of one."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...registry.errors import BadData, HubtlError

if TYPE_CHECKING:
    from PIL import Image

ENDINGS = tuple(
    ".png .jpg .jpeg .jpe .jfif .gif .bmp .tif .tiff .webp .ppm .pgm .pbm .pnm .avif".split()
)
# All that is opened: others that Pillow knows run programs (EPS), or come from no camera or screen.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF")
TILE_WIDTH, TILE_LENGTH = 322, 323  # as TIFF numbers its tags
START_OF_SCAN = b"\xff\xda"  # in a JPEG, where a pass over the pixels begins
MAX_PIXELS = 100_000_000  # which take two gigabytes to read where some are transparent
# No uncompressed picture of so many pixels is larger, and some formats are read into memory whole.
MAX_BYTES = 1 << 30
# A network's input is some hundred pixels a side: of a longer strip nothing would be left.
MAX_ASPECT = 100
# A JPEG may paint over its pixels in any number of passes; real ones take ten.
MAX_PAINTED = 20 * MAX_PIXELS
# These are TIFF inside, where Pillow finds the thumbnail.
RAW = ".3fr .arw .cr2 .dcr .dng .erf .iiq .kdc .nef .nrw .orf .pef .raf .raw .rw2 .srw".split()
CONVERT = "convert it to JPEG or PNG"
# What is found in place of pictures: how its bytes begin, after so many others, and what to do.
OTHERS = (
    (4, b"ftypavif", "an AVIF picture, damaged or of a kind this Pillow doesn't read", CONVERT),
    (4, b"ftyphei", "a HEIC picture", CONVERT),
    (4, b"ftyphev", "a HEIC picture", CONVERT),
    (4, b"ftypmif1", "a HEIC picture", CONVERT),
    (4, b"ftypcrx", "a camera's raw picture", CONVERT),
    (4, b"ftyp", "a film", "take pictures out of it, as JPEG or PNG"),
    (4, b"JXL ", "a JPEG XL picture", CONVERT),
    (0, b"\xff\x0a", "a JPEG XL picture", CONVERT),
    (4, b"jP  ", "a JPEG 2000 picture", CONVERT),
    (0, b"8BPS", "a Photoshop document", CONVERT),
    (0, b"%!PS", "a PostScript program", CONVERT),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript program", CONVERT),
    (0, b"%PDF", "a PDF document", "convert its pages to JPEG or PNG"),
    (0, b"<svg", "an SVG drawing", CONVERT),
    (0, b"<?xml", "an XML document, such as an SVG drawing", CONVERT),
    (0, b"<!doctype html", "a web page", "download the picture itself"),
    (0, b"<html", "a web page", "download the picture itself"),
    (0, b"version https://git-lfs", "a pointer of Git LFS", "bring the pictures: git lfs pull"),
)
# How the pictures that are read begin, PPM aside: one that does and is none is a damaged one.
BEGINNINGS = (b"\x89PNG", b"\xff\xd8", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
LEAVE_OUT = "take it out of the data"
ANEW = f"copy or download it anew, or {LEAVE_OUT}"
SMALLER = f"make it smaller, or {LEAVE_OUT}"
CUT = f"cut it into several pictures, or {LEAVE_OUT}"


def read_picture(path: str) -> "Image.Image":
    """Return a picture as 8-bit RGB, upright, over white; the first frame of several.

    More than 8 bits of grey are scaled down: whole numbers by their 16 bits, floats by
    the least of 1, 255 and 65535 that holds them, what is beyond by its maximum.
    """
    import warnings

    import numpy
    from PIL import Image, ImageCms, ImageOps

    kinds = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF")
    with warnings.catch_warnings(action="ignore"), Image.open(path, "r", kinds) as file:
        ImageOps.exif_transpose(file, in_place=True)
        picture: Image.Image = file
        if picture.mode[0] in "IF":
            grey = numpy.nan_to_num(numpy.array(picture, "float32"), posinf=0, neginf=0)
            grey[grey == picture.info.get("transparency", numpy.nan)] = 65535
            grey -= min(grey.min(), 0)
            tops = (1, 255, 65535) if picture.mode == "F" else (65535,)
            grey *= 255 / next((top for top in tops if grey.max() <= top), grey.max())
            picture = Image.fromarray((grey + 0.5).astype("uint8"))
        elif picture.mode == "LAB":
            lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
            picture = ImageCms.buildTransform(lab, rgb, "LAB", "RGB").apply(picture)
        elif picture.has_transparency_data:
            picture = picture.convert("LA" if picture.mode == "La" else "RGBA")
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture.convert("RGBA"))
        return picture.convert("RGB")


def check_picture(path: Path) -> None:
    """Raise BadData where a file can't be read as a picture, or not within bounds; decodes it.

    Bounds are MAX_BYTES, and by the header alone MAX_PIXELS, MAX_ASPECT and MAX_PAINTED. What
    passes is read by read_picture.
    """
    try:
        with _quiet():
            _check_bytes(path)
            _check_header(path)
            read_picture(str(path))
    except HubtlError:
        raise
    except Exception as error:  # Pillow raises whatever a damaged file's bytes lead it to
        raise _unreadable(path, error) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Pillow warns of and logs from the user, who is told in hubtl's words."""
    log, nowhere = logging.getLogger("PIL"), logging.NullHandler()
    propagated = log.propagate
    log.propagate = False
    log.addHandler(nowhere)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        log.removeHandler(nowhere)
        log.propagate = propagated


def _check_bytes(path: Path) -> None:
    if not path.is_file():
        # To open a pipe would be to wait for who writes to it.
        what = "is not a file" if path.exists() else "does not exist"
        raise BadData(f"`{path}` {what}", "name the file of a picture")
    size = path.stat().st_size
    if not size:
        raise BadData(f"`{path}` is empty", ANEW)
    if size > MAX_BYTES:
        raise BadData(f"`{path}` is too large: more than {MAX_BYTES >> 20} MB", SMALLER)


def _check_header(path: Path) -> None:
    from PIL import Image
    from PIL.TiffImagePlugin import TiffImageFile

    with Image.open(path, "r", FORMATS) as file:
        width, height = file.size
        tile = 1
        if isinstance(file, TiffImageFile):
            if path.suffix.lower() in RAW:
                raise BadData(f"`{path}` is a camera's raw picture", CONVERT)
            # One tile is decoded whole, however little of it is in the picture.
            tile = file.tag_v2.get(TILE_WIDTH, 1) * file.tag_v2.get(TILE_LENGTH, 1)
        painted = width * height
        if file.format in ("JPEG", "MPO"):
            painted *= path.read_bytes().count(START_OF_SCAN)
    if width * height > MAX_PIXELS:
        raise _too_large(path, f"{width} x {height} pixels")
    if tile > MAX_PIXELS:
        raise _too_large(path, f"tiles of {tile} pixels")
    if painted > MAX_PAINTED:
        raise BadData(f"`{path}` paints over its pixels too often to be a picture", ANEW)
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise BadData(f"`{path}` is too narrow a strip: {width} x {height} pixels", CUT)


def _too_large(path: Path, pixels: str) -> BadData:
    most = f"at most {MAX_PIXELS // 1_000_000} million"
    return BadData(f"`{path}` is too large: {pixels}, and {most} are read", SMALLER)


def _unreadable(path: Path, error: Exception) -> BadData:
    """Return what an error that is not hubtl's own means to who has the file."""
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, Image.DecompressionBombError):
        return _too_large(path, "hundreds of millions of pixels")
    if isinstance(error, UnidentifiedImageError | KeyError):
        return _no_picture(path)
    if isinstance(error, OSError) and error.filename:
        return BadData(f"`{path}` can't be opened: {error.strerror}", "look at its rights and disk")
    if isinstance(error, MemoryError):
        return BadData(f"`{path}` takes more memory than there is", SMALLER)
    why = f" ({str(error).splitlines()[0][:80]})" if str(error).strip() else ""
    if isinstance(error, EOFError) or "truncated" in why.lower():
        return BadData(f"`{path}` is cut off{why}", ANEW)
    return BadData(f"`{path}` is damaged{why}", ANEW)


def _no_picture(path: Path) -> BadData:
    """Return what a file is that Pillow knows no format of, as far as its first bytes tell."""
    with path.open("rb") as file:
        head = file.read(64)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for offset, start, what, hint in OTHERS:
        if head[offset:].startswith(start) or (not offset and text.startswith(start)):
            return BadData(f"`{path}` is {what}", hint)
    if head.startswith(BEGINNINGS):
        return BadData(f"`{path}` is cut off or damaged, from its first bytes on", ANEW)
    if path.suffix.lower() in RAW:
        return BadData(f"`{path}` is a camera's raw picture", CONVERT)
    return BadData(f"`{path}` is no picture of a kind that is read", f"{CONVERT}, or {LEAVE_OUT}")
