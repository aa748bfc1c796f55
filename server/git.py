"""Git's own ids: of a blob, a pointer, a tree, a commit.

As in git's object format (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects) and the
pointer files of Git LFS (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

FILE, FOLDER = "100644", "40000"
POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True, slots=True)
class Node:
    """What a tree has under a name: a file's blob, or a folder's tree."""

    mode: str
    oid: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.mode == FOLDER


def object_id(kind: str, body: bytes) -> str:
    """Return the id of an object of git."""
    head = f"{kind} {len(body)}\0".encode()
    return hashlib.sha1(head + body, usedforsecurity=False).hexdigest()


def pointer(sha256: str, size: int) -> bytes:
    """Return the small file that stands in a tree for a large one."""
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    )


def is_pointer(content: bytes) -> bool:
    """Return whether a file is a pointer, which would give its writer what it points at."""
    return bool(POINTER.fullmatch(content))


def encode_tree(nodes: Mapping[str, Node]) -> bytes:
    """Return a tree's body; git sorts a folder as if its name ended in a slash."""
    ordered = sorted(
        (f"{name}/" if node.is_folder else name, name, node) for name, node in nodes.items()
    )
    return b"".join(
        f"{node.mode} {name}".encode() + b"\0" + bytes.fromhex(node.oid)
        for _, name, node in sorted(ordered, key=lambda each: each[0].encode())
    )


def decode_tree(body: bytes) -> dict[str, Node]:
    """Return what a tree's body holds, by name."""
    nodes, at = {}, 0
    while at < len(body):
        end = body.index(b"\0", at)
        mode, _, name = body[at:end].partition(b" ")
        nodes[name.decode()] = Node(mode.decode(), body[end + 1 : end + 21].hex())
        at = end + 21
    return nodes


def commit_id(tree: str, parent: str | None, author: str, created: int, message: str) -> str:
    """Return a commit's id; `created` is in whole seconds, at UTC."""
    who = f"{author} <{author}@users.noreply> {created} +0000"
    lines = [f"tree {tree}", *([f"parent {parent}"] if parent else [])]
    lines += [f"author {who}", f"committer {who}", "", message]
    return object_id("commit", "\n".join(lines).encode())
