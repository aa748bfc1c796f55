"""How a file is kept: in the tree itself, or apart behind a pointer; and which are ignored."""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern
from sqlalchemy import Connection

from .objects import Objects
from .pickles import SAMPLE
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
# Matching backtracks: what a line may have is kept to what takes no path long.
MOST_LINES, LONGEST_LINE = 1000, 200
MOST_MATCHING = 5.0  # seconds of one request
SETS_OF_SETS = re.compile(r"\[.*(\[|--|&&|~~|\|\|)")  # `re` warns that they will mean more


def default_attributes(kind: str) -> bytes:
    """Return the .gitattributes that a new repository starts with."""
    endings = sorted([*LARGE_BY_NAME, *(LARGE_DATA if kind == "dataset" else ())])
    patterns = [*(f"*.{ending}" for ending in endings), *LARGE_PATTERNS]
    return "".join(f"{pattern} {RULE}\n" for pattern in patterns).encode()


def large_patterns(attributes: str) -> GitIgnoreSpec:
    """Return which paths a .gitattributes file has kept apart."""
    lines = (line.split() for line in attributes.splitlines() if not line.startswith("#"))
    patterns = (words[0] for words in lines if "filter=lfs" in words[1:])
    return GitIgnoreSpec(_quick(patterns))


class Patterns(GitIgnoreSpec):
    """Lines of a client's, which are matched for so long and no longer."""

    spent = 0.0

    def match_file(self, file: Any, separators: Any = None) -> bool:
        """Return whether a path is named; raises Problem once all of it took too long."""
        began = time.thread_time()
        found = super().match_file(file, separators)
        self.spent += time.thread_time() - began
        if self.spent > MOST_MATCHING:
            raise Problem(400, "The patterns of .gitignore or .gitattributes are too hard to match")
        return found


def attributes_of(db: Connection, store: Objects, tree: str) -> Patterns:
    """Return which paths a commit has kept apart."""
    return Patterns(large_patterns(_text(db, store, tree, ".gitattributes")).patterns)


def ignored_by(db: Connection, store: Objects, tree: str, sent: str | None) -> Patterns:
    """Return which paths a .gitignore leaves out: the one being sent, else the commit's."""
    text = sent if sent is not None else _text(db, store, tree, ".gitignore")
    return Patterns(_quick(text.splitlines()))


def _quick(lines: Iterable[str]) -> list[GitIgnoreSpecPattern]:
    """Return the patterns that no path takes long to match with; the others name nothing here."""
    found: list[GitIgnoreSpecPattern] = []
    for line in itertools.islice(lines, MOST_LINES):
        segments = line.split("/")
        folders = sum("**" in each for each in segments)
        stars = [each.count("*") for each in segments if each != "**"]
        ambiguous = sum(number > 1 for number in stars)
        quick = len(line) <= LONGEST_LINE and folders <= 2 and max(stars, default=0) <= 2
        if quick and ambiguous <= 1 and not SETS_OF_SETS.search(line):
            found += _compiled(line)
    return found


def _compiled(line: str) -> Sequence[GitIgnoreSpecPattern]:
    try:
        return list(GitIgnoreSpec.from_lines([line]).patterns)
    except (ValueError, re.error):
        return []  # git itself passes over what is no pattern


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


def _text(db: Connection, store: Objects, tree: str, name: str) -> str:
    file = file_at(db, tree, name)
    if file is None or file.size > 1 << 20:
        return ""
    return store.read(file.sha256).decode("utf-8", "replace")
