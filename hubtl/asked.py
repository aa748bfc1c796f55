"""The inputs that a user asks to predict: texts, rows as JSON, or files and folders of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .registry.errors import BadData, HubtlError
from .transfer.columns import Role
from .transfer.fields import read_fields
from .transfer.layout import names_in
from .transfer.listing import all_of, checked


@dataclass(frozen=True, slots=True)
class Asked:
    """Inputs in their order: in the user's words, and as the model takes them."""

    words: Sequence[str]
    inputs: Sequence[str]


def asked_for(role: Role, words: Sequence[str], fields: Sequence[str] = ()) -> Asked:
    """Return what these words stand for: a folder for the files below it that the role reads.

    Where an input is of several columns a word is a JSON object that has these `fields`. Raises
    BadData or UnknownName that names what can't be read, all of it at once.
    """
    if role.content == "row":
        return Asked(words, _each(words, lambda word: read_fields(role, word, fields)))
    if role.content == "file":
        named = [name for word in words for name in _files_of(role, word)]
        return Asked(named, _each(named, lambda name: checked(role, Path(name))))
    return Asked(words, words)


def _each(words: Sequence[str], read: Callable[[str], str]) -> list[str]:
    """Return what each word is read as; raises for all that can't be, at once."""
    inputs: list[str] = []
    broken: list[HubtlError] = []
    for word in words:
        try:
            inputs.append(read(word))
        except HubtlError as error:
            broken.append(error)
    if broken:
        raise all_of(broken, f"{len(broken)} of {len(words)} inputs can't be used")
    return inputs


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
