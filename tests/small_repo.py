"""What the small hub keeps: repositories as commits of whole files, in memory."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import yaml

LFS = (".safetensors", ".bin", ".pt", ".pth", ".onnx", ".parquet", ".h5", ".zip", ".gz", ".model")
ATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS).encode()
Files = Mapping[str, bytes]


class ProblemError(Exception):
    """A refusal as the client reads it: a status, a message and perhaps one of the Hub's codes."""

    def __init__(self, status: int, message: str, code: str = "", **more: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": message, **more}
        line = " ".join(message.encode("ascii", "replace").decode().split())
        self.headers = {"X-Error-Message": line} | ({"X-Error-Code": code} if code else {})


class Commit(NamedTuple):
    """One state of a repo: every file, and how it came about."""

    sha: str
    title: str
    message: str
    date: str
    files: Files
    before: tuple[Any, ...]  # the commits it builds on, oldest first


class Repo:
    """One model: its commits, oldest first, and the branches and tags that point to them."""

    def __init__(self, repo_id: str, private: bool = False) -> None:
        self.id, self.private, self.downloads, self.likes = repo_id, private, 0, 0
        self.commits: list[Commit] = []
        self.branches: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.commit("main", {".gitattributes": ATTRIBUTES}, "initial commit")

    def find(self, revision: str) -> Commit:
        sha = {**self.tags, **self.branches}.get(revision, revision)
        for commit in self.commits:
            if commit.sha == sha:
                return commit
        raise ProblemError(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def refs(self, kind: str) -> list[dict[str, str]]:
        names = {"heads": self.branches, "tags": self.tags}[kind].items()
        return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": sha} for n, sha in names]

    def files(self, revision: str = "main") -> dict[str, bytes]:
        return dict(self.find(revision).files)

    def commit(self, branch: str, files: Files, title: str, message: str = "") -> str:
        read_card(files)  # as on the real Hub, a card that is not YAML stops the commit
        head = self.find(branch) if branch in self.branches else None
        facts = [self.id, len(self.commits), title, *files, *map(git_id, files.values())]
        sha = hashlib.sha1(json.dumps(facts).encode()).hexdigest()
        date, before = datetime.now(UTC), (*head.before, head) if head else ()
        stamp = date.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.commits.append(Commit(sha, title, message, stamp, dict(files), before))
        self.branches[branch] = sha
        return sha

    def info(self, revision: str = "main", blobs: bool = False) -> dict[str, Any]:
        commit = self.find(revision)
        card, library, tags = read_card(commit.files)
        siblings: list[dict[str, Any]] = [{"rfilename": path} for path in sorted(commit.files)]
        for sibling in siblings if blobs else []:
            line = entry(commit.files, sibling["rfilename"])
            sibling |= {"size": line["size"], "blobId": line["oid"]}
            if "lfs" in line:
                sibling["lfs"] = {**line["lfs"], "sha256": line["lfs"]["oid"]}
        return {
            "id": self.id, "modelId": self.id, "author": self.id.split("/")[0], "sha": commit.sha,
            "private": self.private, "gated": False, "disabled": False, "siblings": siblings,
            "createdAt": self.commits[0].date, "lastModified": self.commits[-1].date,
            "downloads": self.downloads, "likes": self.likes, "tags": tags, "cardData": card,
            "pipeline_tag": card.get("pipeline_tag"), "library_name": library,
        }  # fmt: skip


def git_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def entry(files: Files, path: str) -> dict[str, Any]:
    """One line of a tree: a file, a folder, or nothing where there is neither."""
    if (content := files.get(path)) is not None:
        size, sha256 = len(content), hashlib.sha256(content).hexdigest()
        lfs = {"lfs": {"oid": sha256, "size": size, "pointerSize": 134}}
        line = {"type": "file", "path": path, "size": size, "oid": git_id(content)}
        return line | lfs if path.endswith(LFS) else line
    if any(name.startswith(f"{path}/") for name in files):
        return {"type": "directory", "path": path, "size": 0, "oid": git_id(path.encode())}
    return {}


def read_card(files: Files) -> tuple[dict[str, Any], str | None, list[str]]:
    """What the Hub derives from the files: the card's data, the library, the tags."""
    text = files.get("README.md", b"").decode(errors="replace")
    head = re.match(r"---[ \t]*\r?\n(.*?)\r?\n---", text, re.DOTALL)
    data = yaml.safe_load(head[1]) if head else None
    card: dict[str, Any] = data if isinstance(data, dict) else {}
    guesses = {"adapter_config.json": "peft", "config.json": "transformers"}
    library = card.get("library_name", next((guesses[k] for k in guesses if k in files), None))
    relation = card.get("base_model_relation", "adapter" if library == "peft" else "finetune")
    tags = ["safetensors"] if any(path.endswith(".safetensors") for path in files) else []
    prefixes = {"license": ["license:"], "datasets": ["dataset:"]}
    prefixes["base_model"] = ["base_model:", f"base_model:{relation}:"]
    for key in ("tags", "pipeline_tag", "language", "license", "datasets", "base_model"):
        values = card.get(key) or []
        for prefix in prefixes.get(key, [""]):
            tags += [f"{prefix}{v}" for v in (values if isinstance(values, list) else [values])]
    return card, library, list(dict.fromkeys([library, *tags] if library else tags))
