"""Which files can run code when they are loaded: by their names, and by how they begin."""

from __future__ import annotations

import io
import pickletools
import re

SAMPLE = 512  # bytes of a file that are looked at
# Readers of these unpickle, whatever is in them.
ALWAYS = (".pkl", ".pickle", ".dill", ".joblib", ".pt", ".pth", ".ckpt")
# Readers of these unpickle what looks like it, and much else is called so too.
SOMETIMES = (".bin", ".npy", ".npz")
ZIP, NUMPY = b"PK\x03\x04", b"\x93NUMPY"
# What follows the protocol's number in what Python itself writes: a frame, or a first object.
FIRST = (b"\x95", b"}", b"]", b"c", b"(", b"K", b"J", b"M", b"X", b"N", b"\x8a", b"C", b"\x8c")
# Nothing else makes a pickle reach for code, but for what a program has registered itself.
REACHES = ("GLOBAL", "STACK_GLOBAL", "INST")
KNOWN = {
    "",
    *(operation.code for operation in pickletools.opcodes),
}  # operations; none is left where the sample ends after one
LIKE_A_VALUE = [bytes([letter]) for letter in b"'\"+-.0123456789"]
OBJECTS = re.compile(rb"\\|['\",|<>=]\s*\d*(?:O|object)")  # in the types of a NumPy header


def is_pickle(path: str, head: bytes) -> bool:
    """Return whether loading a file can run code, by its name and by how it begins."""
    return unsafe_by_name(path) or unsafe_by_content(path, head)


def unsafe_by_name(path: str) -> bool:
    """Return whether a file of that name is unpickled, whatever is in it."""
    return path.casefold().endswith(ALWAYS)


def unsafe_by_content(path: str, head: bytes) -> bool:
    """Return whether a file of that name, which begins so, is a pickle.

    Python's pickles since protocol 2 begin with 0x80 and the protocol's number; the older ones
    begin like any text, and are looked for only where a reader would unpickle them.
    """
    numbered = len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5
    if not path.casefold().endswith(SOMETIMES):
        return numbered and head[2:3] in FIRST
    if head.startswith(NUMPY):
        return _has_objects(head)
    return numbered or head.startswith(ZIP) or _is_old(head[:SAMPLE])


def _has_objects(head: bytes) -> bool:
    """Return whether NumPy would unpickle what follows a header, or its header goes on too far."""
    at = 10 if head[6:7] == b"\1" else 12
    length = int.from_bytes(head[8:at], "little")
    return len(head) < at + length or bool(OBJECTS.search(head[at : at + length]))


def _is_old(head: bytes) -> bool:
    """Return whether this is a pickle of protocol 0 or 1 that reaches for code, or may further on.

    Readers take numbers and texts that `pickletools` does not: what is like one counts as one.
    """
    file, at = io.BytesIO(head), 0
    try:
        for operation, _, _ in pickletools.genops(file):
            if operation.name in REACHES and (at or operation.name != "STACK_GLOBAL"):
                return True
            at = file.tell()
    except ValueError:
        if file.tell() == len(head) and head[at : at + 1].decode("latin-1") in KNOWN:
            return len(head) == SAMPLE
        argument = head[at + 1 :].lstrip()[:1]
        return head[at : at + 1] in (b"S", b"I", b"L", b"F") and argument in LIKE_A_VALUE
    return False
