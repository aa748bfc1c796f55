"""Trees: the files of a commit, shared between commits that have the same ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from .database import chunks
from .dialects import insert_new
from .git import EMPTY_TREE, FOLDER, Node, decode_tree, encode_tree, object_id, pointer
from .pickles import unsafe_by_name
from .problem import Problem
from .schema import awaited, blobs, trees


@dataclass(frozen=True, slots=True)
class File:
    """A file of a commit. `size` and `sha256` are its content's, also where git has a pointer.

    The sha256 is empty for a small file of a mirror whose content has not come yet.
    """

    path: str
    oid: str
    sha256: str
    size: int
    large: bool
    unsafe: bool = False

    @property
    def etag(self) -> str:
        """The name of its content, by which clients cache it."""
        return self.sha256 if self.large else self.oid

    @property
    def lfs(self) -> dict[str, Any] | None:
        """What the Hub says of a large file."""
        if not self.large:
            return None
        return {
            "oid": self.sha256,
            "size": self.size,
            "pointerSize": len(pointer(self.sha256, self.size)),
        }


class Decoded:
    """The trees used last, as far as their bodies have `most` bytes together; an oid says it all.

    The very last one stays however large it is: many paths may be looked up in it.
    """

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._turn = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, Mapping[str, Node]]] = OrderedDict()

    def get(self, oid: str) -> Mapping[str, Node] | None:
        """Return a tree that is kept."""
        with self._turn:
            if oid not in self._kept:
                return None
            self._kept.move_to_end(oid)
            return self._kept[oid][1]

    def keep(self, oid: str, body: bytes) -> Mapping[str, Node]:
        """Return a tree by its body, and let go of those that were not used for longest."""
        found = decode_tree(body)
        with self._turn:
            if oid not in self._kept:
                self._size += len(body)
                self._kept[oid] = len(body), found
            while self._size > self._most and len(self._kept) > 1:
                self._size -= self._kept.popitem(last=False)[1][0]
        return found


DECODED = Decoded(16 << 20)


def nodes(db: Connection, oid: str) -> Mapping[str, Node]:
    """Return what a tree has, by name."""
    if oid == EMPTY_TREE:
        return {}
    kept = DECODED.get(oid)
    if kept is not None:
        return kept
    return DECODED.keep(
        oid, db.execute(select(trees.c.body).where(trees.c.oid == oid)).scalar_one()
    )


def node_at(db: Connection, root: str, path: str) -> Node | None:
    """Return what a path leads to; the empty path leads to the root."""
    found = Node(FOLDER, root)
    for name in path.split("/") if path else ():
        if not found.is_folder:
            return None
        inner = nodes(db, found.oid).get(name)
        if inner is None:
            return None
        found = inner
    return found


def walk(
    db: Connection, root: str, prefix: str = "", *, deep: bool = True
) -> Iterator[tuple[str, Node]]:
    """Give all paths below a tree with what they lead to, folders too, in git's order."""
    for name, node in nodes(db, root).items():
        path = f"{prefix}{name}"
        yield path, node
        if deep and node.is_folder:
            yield from walk(db, node.oid, f"{path}/")


def files_of(db: Connection, found: Iterable[tuple[str, Node]]) -> list[File]:
    """Return the files among paths, with what is known of their contents."""
    listed = [(path, node.oid) for path, node in found if not node.is_folder]
    known = blobs_of(db, {oid for _, oid in listed})
    known |= awaited_of(db, {oid for _, oid in listed} - known.keys())
    return [_file(path, oid, known[oid]) for path, oid in listed]


def _file(path: str, oid: str, known: Mapping[str, Any]) -> File:
    """Return a file; its content may be harmless under another name."""
    return File(path, oid, **{**known, "unsafe": known["unsafe"] or unsafe_by_name(path)})


def file_at(db: Connection, root: str, path: str) -> File | None:
    """Return the file at a path, or None where there is none."""
    node = node_at(db, root, path)
    if node is None or node.is_folder:
        return None
    return files_of(db, [(path, node)])[0]


def all_files(db: Connection, root: str) -> list[File]:
    """Return all files of a tree."""
    return files_of(db, walk(db, root))


def blobs_of(db: Connection, oids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what is known of blobs, by oid."""
    columns = (blobs.c.oid, blobs.c.sha256, blobs.c.size, blobs.c.large, blobs.c.unsafe)
    found = {}
    for some in chunks(oids):
        for row in db.execute(select(*columns).where(blobs.c.oid.in_(some))).mappings():
            found[row["oid"]] = {name: row[name] for name in ("sha256", "size", "large", "unsafe")}
    return found


def awaited_of(db: Connection, oids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what is known of blobs of mirrors whose content has not come yet, by oid."""
    columns = (awaited.c.oid, awaited.c.sha256, awaited.c.size, awaited.c.large)
    found = {}
    for some in chunks(oids):
        for oid, sha256, size, large in db.execute(select(*columns).where(awaited.c.oid.in_(some))):
            found[oid] = {"sha256": sha256, "size": size, "large": large, "unsafe": False}
    return found


def changed(db: Connection, root: str, changes: Mapping[str, str | None]) -> str:
    """Return the tree that has these changes: a path to its new blob, or None to take it away.

    Raises Problem where a path would be a file and a folder at once.
    """
    here = dict(nodes(db, root))
    below: dict[str, dict[str, str | None]] = {}
    for path, oid in changes.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = oid
        elif oid is None:
            here.pop(name, None)
        elif name in here and here[name].is_folder:
            raise Problem(400, f"`{name}` is a folder, so it can't be a file too")
        else:
            here[name] = Node("100644", oid)
    for name, inner in below.items():
        before = here.get(name)
        if before and not before.is_folder:
            if all(oid is None for oid in inner.values()):
                continue
            raise Problem(400, f"`{name}` is a file, so it can't be a folder too")
        after = changed(db, before.oid if before else EMPTY_TREE, inner)
        if after == EMPTY_TREE:
            here.pop(name, None)
        else:
            here[name] = Node(FOLDER, after)
    return save(db, here)


def save(db: Connection, here: Mapping[str, Node]) -> str:
    """Keep a tree, and return its id."""
    body = encode_tree(here)
    oid = object_id("tree", body)
    if oid != EMPTY_TREE:
        insert_new(db, trees, [{"oid": oid, "body": body}])
    return oid
