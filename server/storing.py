"""How a file is kept: in the tree itself, or apart behind a pointer; and what it might do."""

from __future__ import annotations

import base64
import binascii

from pathspec import GitIgnoreSpec
from sqlalchemy import Connection

from ..registry.weights import PICKLES
from .objects import Objects
from .problem import Problem
from .trees import file_at

LARGE_BY_NAME = (
    "7z arrow avro bin bz2 ckpt ftz gguf gz h5 joblib lz4 mlmodel model msgpack npy npz onnx ot "
    "parquet pb pickle pkl pt pth rar safetensors tar tflite tgz wasm xz zip zst"
).split()
LARGE_DATA = (
    "aac bmp flac gif jpeg jpg mkv mov mp3 mp4 ogg pcm png sam raw tiff wav webm webp".split()
)
LARGE_PATTERNS = ("saved_model/**/*", "*tfevents*", "*.tar.*")
RULE = "filter=lfs diff=lfs merge=lfs -text"
SAMPLE = 512


def default_attributes(kind: str) -> bytes:
    """Return the .gitattributes that a new repository starts with."""
    endings = sorted([*LARGE_BY_NAME, *(LARGE_DATA if kind == "dataset" else ())])
    patterns = [*(f"*.{ending}" for ending in endings), *LARGE_PATTERNS]
    return "".join(f"{pattern} {RULE}\n" for pattern in patterns).encode()


def large_patterns(attributes: str) -> GitIgnoreSpec:
    """Return which paths a .gitattributes file has kept apart."""
    lines = (line.split() for line in attributes.splitlines() if not line.startswith("#"))
    patterns = [words[0] for words in lines if "filter=lfs" in words[1:]]
    return GitIgnoreSpec.from_lines(patterns)


def attributes_of(db: Connection, store: Objects, tree: str) -> GitIgnoreSpec:
    """Return which paths a commit has kept apart."""
    return large_patterns(_text(db, store, tree, ".gitattributes"))


def ignored_by(db: Connection, store: Objects, tree: str, sent: str | None) -> GitIgnoreSpec:
    """Return which paths a .gitignore leaves out: the one being sent, else the commit's."""
    text = sent if sent is not None else _text(db, store, tree, ".gitignore")
    return GitIgnoreSpec.from_lines(text.splitlines()[:10_000])


def is_large(
    path: str, size: int, sample: bytes, attributes: GitIgnoreSpec, largest_regular: int
) -> bool:
    """Return whether a file is kept apart: by its name, its size, or since it is no text."""
    if size == 0:
        return False
    return size > largest_regular or b"\0" in sample or attributes.match_file(path)


def read_sample(text: object) -> bytes:
    """Return the first bytes of a file as a client sent them in base64; raises Problem."""
    try:
        return base64.b64decode(str(text or ""), validate=True)[:SAMPLE]
    except (binascii.Error, ValueError) as error:
        raise Problem(400, '"sample" must be in base64') from error


def is_pickle(path: str, head: bytes) -> bool:
    """Return whether loading a file can run code, by its name and by how it begins.

    Python's pickles since protocol 2 begin with 0x80 and the protocol's number.
    """
    named = path.casefold().endswith(PICKLES)
    pickled = len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and head[2:3] in PICKLE_OPS
    return named and (pickled or head.startswith(b"PK\x03\x04")) or pickled


# What follows the protocol's number in what Python itself writes: a frame, or a first object.
PICKLE_OPS = (b"\x95", b"}", b"]", b"c", b"(", b"K", b"J", b"M", b"X", b"N", b"\x8a", b"C", b"\x8c")


def _text(db: Connection, store: Objects, tree: str, name: str) -> str:
    file = file_at(db, tree, name)
    if file is None or file.size > 1 << 20:
        return ""
    return store.read(file.sha256).decode("utf-8", "replace")
