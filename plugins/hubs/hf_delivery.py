"""A folder on its way into a repository: what differs there, sent in one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.errors import NotReproduced
from ...registry.fingerprint import content_revision, files_in, git_sha1, sha256

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

    from .hf import HuggingFace


@dataclass(frozen=True, slots=True)
class Delivery:
    """A folder's files, by their sha256, for a model's repository; the new whole of it."""

    hub: HuggingFace
    model: str
    folder: Path
    message: str
    files: Mapping[str, str]

    @classmethod
    def of(cls, hub: HuggingFace, model: str, folder: Path, message: str) -> Delivery:
        """Return the delivery of a folder."""
        files = {path: sha256(at) for path, at in files_in(folder).items()}
        return cls(hub, model, folder, message, files)

    @property
    def content(self) -> str:
        """What names the files by their content."""
        return content_revision(self.files)

    def arrived(self, revision: str) -> bool:
        """Return whether a revision has these very files, and no others."""
        there = self._tree(revision)
        return set(there) == set(self.files) and all(map(self._same, there.values()))

    def upload(self, changes: list[Any], ref: str) -> None:
        """Send the large files; the hub keeps them for the commit, and takes none of them twice."""
        from huggingface_hub import CommitOperationAdd

        added = [each for each in changes if isinstance(each, CommitOperationAdd)]
        self.hub.api.preupload_lfs_files(self.model, added, revision=ref, free_memory=False)

    def changes(self, revision: str, draft: str | None = None) -> list[Any]:
        """Return the operations that make a revision's files these; those that are there, stay.

        Large files that `draft` has are taken from there, and not sent.
        """
        from huggingface_hub import (
            CommitOperationAdd,
            CommitOperationCopy,
            CommitOperationDelete,
        )

        there = self._tree(revision)
        sent = self._tree(draft) if draft else {}
        found: list[Any] = [
            CommitOperationDelete(path) for path in sorted({*there} - {*self.files})
        ]
        for path in self.files:
            if path in there and self._same(there[path]):
                continue
            if path in sent and sent[path].lfs:
                found.append(CommitOperationCopy(path, path, src_revision=draft))
            else:
                found.append(CommitOperationAdd(path, self.folder / path))
        return found

    def commit(self, changes: list[Any], ref: str, head: str) -> str:
        """Return the one commit that changes a ref whose head is `head`; raises for another."""
        made = self.hub.api.create_commit(
            self.model, changes, commit_message=self.message, revision=ref, parent_commit=head
        )
        return str(made.oid)

    def _same(self, there: RepoFile) -> bool:
        if there.path not in self.files:
            return False
        if there.lfs:
            return there.lfs.sha256 == self.files[there.path]
        return there.blob_id == git_sha1(self.folder / there.path)

    def _tree(self, revision: str) -> dict[str, RepoFile]:
        """Return a revision's files, but for those that are the hub's own."""
        from huggingface_hub.hf_api import RepoFile

        tree = self.hub.api.list_repo_tree(self.model, revision=revision, recursive=True)
        files = [each for each in tree if isinstance(each, RepoFile)]
        return {each.path: each for each in files if each.path != ".gitattributes"}


def overtaken(model: str) -> NotReproduced:
    """Return the error for a repository that is no longer what it was a moment ago."""
    return NotReproduced(
        f"somebody published `{model}` in the meantime",
        f"look at theirs: `hubtl show {model}`, then publish again",
    )
