"""A repository as the Hub describes it, in a list and by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from sqlalchemy import Connection, func, select

from .access import Caller
from .ages import moment
from .facts import CardLoader
from .finding import seen_by
from .git import EMPTY_TREE
from .hub import TeamHub
from .refs import Commit
from .repos import JOINED, Repo
from .schema import blobs, repo_bases, repo_blobs, repos
from .storing import is_pickle
from .trees import File, all_files, files_of, node_at, walk

COMMON = (
    "author cardData createdAt disabled downloads downloadsAllTime gated lastModified likes "
    "private resourceGroup sha siblings tags trendingScore usedStorage"
).split()
EXPANDABLE: Mapping[str, tuple[str, ...]] = {
    "model": (
        *COMMON,
        *(
            "baseModels childrenModelCount config evalResults gguf inference "
            "inferenceProviderMapping library_name mask_token model-index pipeline_tag safetensors "
            "spaces transformersInfo widgetData"
        ).split(),
    ),
    "dataset": (*COMMON, "citation", "description", "mainSize", "paperswithcode_id"),
    "space": (*COMMON, "datasets", "models", "runtime", "sdk", "subdomain"),
    "kernel": tuple(COMMON),
}
SHORT = (
    "likes downloads tags createdAt private trendingScore pipeline_tag library_name gated".split()
)
LISTED = [*SHORT, "author", "sha", "lastModified", "disabled", "siblings"]
WHOLE = [
    *LISTED,
    *"cardData config safetensors model-index usedStorage spaces widgetData mask_token".split(),
    *"transformersInfo sdk".split(),
]


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
        wanted = list(names)
        for name in wanted:
            value = self._field(name)
            if value is not None or name == "resourceGroup":
                said[name] = value
        return said

    def _field(self, name: str) -> Any:
        simple = self._simple()
        if name in simple:
            return simple[name]
        special = {
            "siblings": self._siblings,
            "usedStorage": self._used,
            "childrenModelCount": self._children,
            "evalResults": self._evaluations,
            "transformersInfo": self._transformers,
        }
        return special[name]() if name in special else None

    def _simple(self) -> dict[str, Any]:
        repo, facts = self.repo, self.facts
        card = facts.get("card") or {}
        return {
            "author": repo.owner,
            "cardData": card,
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
            "sdk": card.get("sdk") if repo.kind == "space" else None,
            "description": card.get("description") or card.get("pretty_name"),
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
        """Return the results that the files in .eval_results/ tell."""
        tree = self.commit.tree if self.commit else EMPTY_TREE
        folder = node_at(self.db, tree, ".eval_results")
        if folder is None or not folder.is_folder:
            return []
        found: list[dict[str, Any]] = []
        for file in files_of(self.db, walk(self.db, folder.oid, deep=False)):
            if not file.path.endswith((".yaml", ".yml")) or file.size > 1 << 20:
                continue
            try:
                read = yaml.load(self.hub.objects.read(file.sha256), CardLoader)  # noqa: S506
            except yaml.YAMLError as error:
                found.append({"filename": file.path, "error": str(error)[:200]})
                continue
            listed = read if isinstance(read, list) else []
            found += [{"filename": file.path, "data": each} for each in listed]
        return found

    def _transformers(self) -> dict[str, Any] | None:
        named = (self.facts.get("config") or {}).get("architectures")
        if self.facts.get("library") != "transformers" or not isinstance(named, list) or not named:
            return None
        return {"auto_model": "AutoModel", "pipeline_tag": self.facts.get("task")}


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
    unsafe = [file.path for file in files if file.unsafe or is_pickle(file.path, b"")]
    issues = [{"path": path, "level": "unsafe"} for path in unsafe]
    return {"scansDone": True, "filesWithIssues": issues}
