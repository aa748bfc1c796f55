"""A hub that a team hub fetches from: asked with that hub's own token, or with none."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry, File
from ...registry.errors import Unreachable
from .hf_errors import told

if TYPE_CHECKING:
    from huggingface_hub import HfApi

WAITS = (1.0, 2.0, 4.0)  # seconds before a file that stopped in the middle is gone on with
PATIENCE = 15.0  # seconds without an answer
PART = 1 << 17
NOUNS = {"dataset": "data set"}


@dataclass(frozen=True, slots=True)
class HubUpstream:
    """A server that speaks the Hub's API; nothing of it is kept in this machine's caches."""

    address: str
    token: str | None = None

    @property
    def _api(self) -> HfApi:
        from huggingface_hub import HfApi

        # False: whatever token this machine has of its user is not for that server.
        return HfApi(endpoint=self.address, token=self.token or False, library_name="hubtl")

    def find(self, kind: str, name: str, revision: str) -> tuple[Entry, bool]:
        """Return a repository at a commit with its files' hashes; and whether it isn't for all."""
        with self._told(kind, name, revision):
            info: Any = self._api.repo_info(
                name, repo_type=kind, revision=revision, files_metadata=True, timeout=PATIENCE
            )
        changed = info.last_modified.isoformat() if info.last_modified else None
        files = {each.rfilename: _file(each) for each in info.siblings or []}
        entry = Entry(info.id, self.address, revision=info.sha, date=changed, files=files)
        return entry, bool(info.private or getattr(info, "gated", False))

    def tags(self, kind: str, name: str) -> Collection[str]:
        """Return the names of a repository's tags."""
        with self._told(kind, name, "main"):
            return {each.name for each in self._api.list_repo_refs(name, repo_type=kind).tags}

    def content(self, kind: str, name: str, revision: str, path: str) -> Iterator[bytes]:
        """Give a file's bytes; where they stop coming, from there on once more, a few times."""
        got, waits = 0, iter(WAITS)
        while True:
            start = got
            try:
                with self._told(kind, name, revision):
                    for part in self._parts(kind, name, revision, path, start):
                        got += len(part)
                        yield part
                return
            except Unreachable:
                if got > start:
                    waits = iter(WAITS)
                wait = next(waits, None) if got else None
                if wait is None:
                    raise
                time.sleep(wait)

    def _parts(self, kind: str, name: str, revision: str, path: str, start: int) -> Iterator[bytes]:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils._headers import build_hf_headers
        from huggingface_hub.utils._http import get_session, hf_raise_for_status

        url = hf_hub_url(name, path, repo_type=kind, revision=revision, endpoint=self.address)
        headers = build_hf_headers(token=self.token or False, library_name="hubtl")
        headers |= {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with get_session().stream(
            "GET", url, headers=headers, timeout=PATIENCE, follow_redirects=True
        ) as response:
            hf_raise_for_status(response)
            if start and response.status_code != 206:
                raise Unreachable(f"{self.address} does not go on with `{path}` where it stopped")
            yield from response.iter_bytes(PART)

    def _told(self, kind: str, name: str, revision: str) -> contextlib.AbstractContextManager[None]:
        return told(self.address, name, revision, NOUNS.get(kind, kind), "")


def _file(sibling: Any) -> File:
    if sibling.lfs:
        return File(sibling.lfs.size, sibling.lfs.sha256)
    return File(sibling.size or 0, git_sha1=sibling.blob_id)
