"""The inputs that a user asks to predict: texts as they are, or files and folders of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .registry.errors import BadData, HubtlError
from .transfer.columns import Role
from .transfer.layout import names_in
from .transfer.listing import all_of, checked


@dataclass(frozen=True, slots=True)
class Asked:
    """Inputs in their order: in the user's words, and as the model takes them."""

    words: Sequence[str]
    inputs: Sequence[str]


def asked_for(role: Role, words: Sequence[str]) -> Asked:
    """Return what these words stand for: a folder for the files below it that the role reads.

    Raises BadData or UnknownName that names what can't be read, all of it at once.
    """
    if role.content != "file":
        return Asked(words, words)
    named = [name for word in words for name in _files_of(role, word)]
    inputs: list[str] = []
    broken: list[HubtlError] = []
    for name in named:
        try:
            inputs.append(checked(role, Path(name)))
        except HubtlError as error:
            broken.append(error)
    if broken:
        raise all_of(broken, f"{len(broken)} of {len(named)} inputs can't be used")
    return Asked(named, inputs)


def _files_of(role: Role, word: str) -> list[str]:
    """Return the files that a word stands for."""
    if not word.strip() or "\0" in word:
        raise BadData("an input is empty, and no file", "name a file, or a folder of files")
    if not _is_folder(word):
        return [word]
    names = [PurePosixPath(name) for name in names_in(Path(word))]
    found = [name for name in names if name.suffix.lower() in role.files]
    if not found:
        raise BadData(
            f"`{word}` holds no file that this task reads for {role.name}",
            f"it reads {', '.join(role.files)}",
        )
    return [str(Path(word, *name.parts)) for name in found]


def _is_folder(word: str) -> bool:
    try:
        return Path(word).is_dir()
    except OSError:
        # Whoever opens it next says why it can't be looked at.
        return False
