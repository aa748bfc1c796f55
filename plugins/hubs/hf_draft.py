"""A draft on a hub: a commit on a branch of its own, until it is proven."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.errors import HubtlError, NotReproduced, taken
from ...registry.fingerprint import files_in

if TYPE_CHECKING:
    from .hf import HuggingFace


@dataclass(frozen=True, slots=True)
class HubDraft:
    """A commit on a branch of its own."""

    hub: HuggingFace
    model: str
    branch: str
    before: str
    new: bool
    folder: Path
    message: str
    revision: str = ""

    def fetch(self, room: Path) -> Path:
        """Download the draft into an empty folder, over the network."""
        with self.hub.told(self.model, self.revision):
            self.hub.download(self.model, self.revision, room)
        return room

    def accept(self, tag: str | None = None) -> str:
        """Commit the same files to `main` at once, unless somebody else has moved it."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        api = self.hub.api
        files = files_in(self.folder)
        with self.hub.told(self.model, writing=True):
            now = api.model_info(self.model).sha
            if now != self.before:
                raise NotReproduced(
                    f"somebody published `{self.model}` in the meantime",
                    f"look at theirs: `hubtl show {self.model}`, then publish again",
                )
            tags = {each.name: each.target_commit for each in api.list_repo_refs(self.model).tags}
            if tag in tags:
                raise taken(self.model, str(tag))
            stale = set(api.list_repo_files(self.model)) - set(files) - {".gitattributes"}
            operations: list[Any] = [CommitOperationAdd(path, at) for path, at in files.items()]
            operations += [CommitOperationDelete(path) for path in sorted(stale)]
            commit = api.create_commit(
                self.model, operations, commit_message=self.message, parent_commit=self.before
            )
            proven, live = self._hashes(self.revision), self._hashes(str(commit.oid))
            if {p: live.get(p) for p in files} != {p: proven.get(p) for p in files}:
                raise NotReproduced(
                    f"{self.hub.endpoint} keeps other bytes on main than those that were proven",
                    f"`hubtl verify {self.model}`",
                )
            if tag:
                api.create_tag(self.model, tag=tag, revision=str(commit.oid))
        # The model is published: a branch that stays behind is no reason to say otherwise.
        with contextlib.suppress(HubtlError), self.hub.told(self.model, writing=True):
            api.delete_branch(self.model, branch=self.branch)
        return str(commit.oid)

    def discard(self) -> None:
        """Delete the branch; the repository too, if it was made for this and nobody has used it."""
        api = self.hub.api
        with contextlib.suppress(HubtlError), self.hub.told(self.model, writing=True):
            if self.new and api.model_info(self.model).sha == self.before:
                api.delete_repo(self.model, missing_ok=True)
            else:
                api.delete_branch(self.model, branch=self.branch)

    def _hashes(self, revision: str) -> Mapping[str, str]:
        from huggingface_hub.hf_api import RepoFile

        tree = self.hub.api.list_repo_tree(self.model, revision=revision, recursive=True)
        return {
            each.path: each.lfs.sha256 if each.lfs else each.blob_id
            for each in tree
            if isinstance(each, RepoFile)
        }
