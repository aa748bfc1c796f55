"""A repository as the Hub describes it, in a list and by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from .access import Caller, may_read_content
from .ages import moment
from .cards import read_yaml
from .facts import as_texts
from .finding import seen_by
from .git import EMPTY_TREE
from .hub import TeamHub
from .refs import Commit
from .repos import JOINED, Repo
from .schema import blobs, repo_bases, repo_blobs, repos
from .trees import File, all_files, files_of, node_at, walk

COMMON = (
    "author cardData createdAt disabled lastModified likes private resourceGroup sha siblings tags "
    "trendingScore usedStorage"
).split()
FETCHED = ["downloads", "downloadsAllTime", "gated"]
EXPANDABLE: Mapping[str, tuple[str, ...]] = {
    "model": (
        *COMMON,
        *FETCHED,
        *(
            "baseModels childrenModelCount config evalResults gguf inference "
            "inferenceProviderMapping library_name mask_token model-index pipeline_tag safetensors "
            "spaces transformersInfo widgetData"
        ).split(),
    ),
    "dataset": (*COMMON, *FETCHED, "citation", "description", "mainSize", "paperswithcode_id"),
    "space": (*COMMON, "datasets", "models", "region", "runtime", "sdk", "subdomain"),
    "kernel": (*COMMON, *FETCHED),
}
# Clients take a card's fields as arguments: these would be given twice, and stop any list.
CLIENTS_OWN = ("self", "ignore_metadata_errors")
SHORT = (
    "likes downloads tags createdAt private trendingScore pipeline_tag library_name gated sdk"
).split()
# A list of data sets says more, as on the Hub.
SHORT_OF_DATA = [*SHORT, *"author sha lastModified disabled description".split()]
LISTED = [*SHORT, *"author sha lastModified disabled siblings models datasets".split()]
WHOLE = [
    *LISTED,
    *"cardData config safetensors model-index usedStorage spaces widgetData mask_token".split(),
    "transformersInfo",
]


MOST_RESULTS = 256 << 10  # bytes of the files of results that are read


class Description:
    """One repository at one commit, and what is said of it to a caller on demand."""

    def __init__(
        self,
        db: Connection,
        hub: TeamHub,
        caller: Caller,
        repo: Repo,
        commit: Commit | None,
        facts: Mapping[str, Any],
        *,
        blobs_too: bool = False,
    ) -> None:
        self.db, self.hub, self.caller = db, hub, caller
        self.repo, self.commit, self.facts = repo, commit, facts
        self.blobs_too = blobs_too

    def say(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the id and these fields; a field that has nothing to say is left out."""
        said: dict[str, Any] = {"_id": f"{self.repo.id:024x}", "id": self.repo.id_}
        if self.repo.kind == "model":
            said["modelId"] = self.repo.id_
        simple = self._simple()
        for name in names:
            value = simple[name] if name in simple else self._worked_out(name)
            if value is not None or name == "resourceGroup":
                said[name] = value
        return said

    def _worked_out(self, name: str) -> Any:
        takes_a_look = {
            "siblings": self._siblings,
            "usedStorage": self._used,
            "childrenModelCount": self._children,
            "evalResults": self._evaluations,
            "transformersInfo": self._transformers,
        }
        return takes_a_look[name]() if name in takes_a_look else None

    def _simple(self) -> dict[str, Any]:
        repo, facts = self.repo, self.facts
        card, space = facts.get("card") or {}, repo.kind == "space"
        return {
            "author": repo.owner,
            "cardData": {k: v for k, v in card.items() if k not in CLIENTS_OWN},
            "config": facts.get("config") or {},
            "createdAt": moment(repo.created),
            "lastModified": moment(repo.modified),
            "disabled": False,
            "downloads": repo.downloads,
            "downloadsAllTime": repo.downloads,
            "likes": repo.likes,
            "trendingScore": repo.likes,
            "gated": repo.gated or False,
            "private": repo.private,
            "resourceGroup": None,
            "sha": self.commit.oid if self.commit else repo.head,
            "tags": facts.get("tags") or [],
            "baseModels": facts.get("bases") or [],
            "library_name": facts.get("library") if repo.kind == "model" else None,
            "pipeline_tag": facts.get("task") if repo.kind == "model" else None,
            "safetensors": facts.get("safetensors"),
            "model-index": card.get("model-index"),
            "widgetData": card.get("widget"),
            "mask_token": card.get("mask_token"),
            "spaces": [] if repo.kind == "model" else None,
            "sdk": card.get("sdk") if space else None,
            "models": as_texts(card.get("models")) if space else None,
            "datasets": as_texts(card.get("datasets")) if space else None,
            "description": _text(card, "description") or _text(card, "pretty_name"),
            "citation": card.get("citation"),
            "paperswithcode_id": card.get("paperswithcode_id"),
        }

    def _siblings(self) -> list[dict[str, Any]]:
        tree = self.commit.tree if self.commit else EMPTY_TREE
        if not self.blobs_too:
            found = walk(self.db, tree)
            return [{"rfilename": path} for path, node in found if not node.is_folder]
        return [_sibling(file) for file in all_files(self.db, tree)]

    def _used(self) -> int:
        mine = (
            select(blobs.c.sha256, blobs.c.size)
            .distinct()
            .join(repo_blobs, repo_blobs.c.oid == blobs.c.oid)
            .where(repo_blobs.c.repo_id == self.repo.id)
            .subquery()
        )
        return int(self.db.execute(select(func.coalesce(func.sum(mine.c.size), 0))).scalar_one())

    def _children(self) -> int:
        named = repo_bases.c.base == self.repo.id_.casefold()
        made = JOINED.join(repo_bases, repo_bases.c.repo_id == repos.c.id)
        counted = select(func.count()).select_from(made).where(named, seen_by(self.caller))
        return int(self.db.execute(counted).scalar_one())

    def _evaluations(self) -> list[dict[str, Any]]:
        """Return the results that the files in .eval_results/ tell those who may read them."""
        if not may_read_content(self.db, self.caller, self.repo):
            return []
        tree = self.commit.tree if self.commit else EMPTY_TREE
        folder = node_at(self.db, tree, ".eval_results")
        if folder is None or not folder.is_folder:
            return []
        found: list[dict[str, Any]] = []
        left = MOST_RESULTS
        for file in files_of(self.db, walk(self.db, folder.oid, deep=False)):
            known = file.path.endswith((".yaml", ".yml")) and self.hub.objects.has(file.sha256)
            if not known or file.size > left:
                continue
            left -= file.size
            text = self.hub.objects.read(file.sha256).decode("utf-8", "replace")
            found += [{"filename": file.path, **each} for each in _results(text)]
        return found

    def _transformers(self) -> dict[str, Any] | None:
        named = (self.facts.get("config") or {}).get("architectures")
        if self.facts.get("library") != "transformers" or not isinstance(named, list) or not named:
            return None
        return {"auto_model": "AutoModel", "pipeline_tag": self.facts.get("task")}


def _text(card: Mapping[str, Any], name: str) -> str | None:
    said = card.get(name)
    return said if isinstance(said, str) else None


def _results(text: str) -> list[dict[str, Any]]:
    """Return the results in a file as clients take them; one of another shape would stop them."""
    try:
        read = read_yaml(text)
    except ValueError as error:
        return [{"error": str(error)[:200]}]
    wrong = {"error": "a result has a dataset with `id` and `task_id`, a value, and a source's url"}
    listed = read if isinstance(read, list) else []
    return [{"data": each} if _is_result(each) else wrong for each in listed]


def _is_result(read: Any) -> bool:
    if not isinstance(read, dict) or "value" not in read:
        return False
    dataset, source = read.get("dataset"), read.get("source")
    sourced = not source or (isinstance(source, dict) and bool(source.get("url")))
    return sourced and isinstance(dataset, dict) and {"id", "task_id"} <= dataset.keys()


def _sibling(file: File) -> dict[str, Any]:
    said: dict[str, Any] = {"rfilename": file.path, "size": file.size, "blobId": file.oid}
    if file.lfs:
        said["lfs"] = {
            "sha256": file.sha256,
            "size": file.size,
            "pointerSize": file.lfs["pointerSize"],
        }
    return said


def security_status(files: Iterable[File]) -> dict[str, Any]:
    """Return which files can run code when they are loaded."""
    unsafe = [file.path for file in files if file.unsafe]
    issues = [{"path": path, "level": "unsafe"} for path in unsafe]
    return {"scansDone": True, "filesWithIssues": issues}
