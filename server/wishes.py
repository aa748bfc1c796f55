"""What is to be asked of another hub: a revision, or the content of a file."""

from __future__ import annotations

from typing import NamedTuple

from .repos import Repo
from .trees import File


class Wish(NamedTuple):
    """A revision to ask for; `here` is whether this hub has had one of that name."""

    kind: str
    name: str
    revision: str
    here: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """What two requests for the same thing have in common."""
        return self.kind, self.name.casefold(), self.revision


class Wanted(NamedTuple):
    """A file of a commit whose content is not here."""

    repo: Repo
    commit: str
    file: File

    @property
    def what(self) -> str:
        """How it is called in an answer."""
        return f"{self.file.path} of {self.repo.id_}"
