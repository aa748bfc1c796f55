"""What a client of the Hub does in a day, written for huggingface_hub 0.36 to 2.x alike."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
from huggingface_hub import HfApi, hf_hub_download, snapshot_download

from .steps import same, take

MB = 1 << 20
LARGE = random.Random(7).randbytes(12 * MB)
SMALL = "Wörter, words\n".encode()
FOLDER = {
    "README.md": b"---\nlicense: mit\ntags: [probe]\n---\n# probe\n",
    "config.json": b'{"model_type": "probe"}\n',
    "deep/er/notes.txt": b"notes\n",
    "deep/weights.safetensors": random.Random(8).randbytes(2 * MB),
    "empty.txt": b"",
    "with space & ünïcode.txt": b"awful name\n",
}


class Probe:
    """One client with one repository."""

    def __init__(self, user: str, kind: str) -> None:
        self.api = HfApi()
        self.kind = kind
        version = huggingface_hub.__version__.replace(".", "-")
        self.repo: dict[str, Any] = {
            "repo_id": f"{user}/probe-{kind}-{version}",
            "repo_type": kind,
        }

    def steps(self) -> dict[str, Callable[[], Any]]:
        """Return the steps by their names, in order."""
        return {
            "create_repo": self.create,
            "upload_file": lambda: self.upload("small.txt", SMALL),
            "upload_file 12 MB": lambda: self.upload("large.bin", LARGE),
            "upload_folder": self.upload_folder,
            "hf_hub_download": self.download,
            "snapshot_download": self.snapshot,
            "list": self.find,
            "create_pr, merge": self.pull_request,
            "tags": self.tags,
            "branches": self.branches,
            "delete_file, history": self.delete_file,
            "delete_repo": self.delete,
        }

    def create(self) -> None:
        """Make the repository, twice."""
        first = self.api.create_repo(**self.repo)
        same(self.api.create_repo(**self.repo, exist_ok=True).repo_id, first.repo_id)
        same(first.repo_id, self.repo["repo_id"])

    def upload(self, path: str, content: bytes) -> None:
        """Upload one file from the disk."""
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, "local")
            local.write_bytes(content)
            self.api.upload_file(path_or_fileobj=local, path_in_repo=path, **self.repo)

    def upload_folder(self) -> None:
        """Upload a folder of small and large files, deep ones and awful names among them."""
        with tempfile.TemporaryDirectory() as folder:
            for path, content in FOLDER.items():
                Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
                Path(folder, path).write_bytes(content)
            self.api.upload_folder(folder_path=folder, **self.repo)

    def download(self) -> None:
        """Download the small and the large file, and compare their bytes."""
        for path, content in (("small.txt", SMALL), ("large.bin", LARGE)):
            same(Path(hf_hub_download(filename=path, **self.repo)).read_bytes() == content, True)

    def snapshot(self) -> None:
        """Download all, into the cache and into a folder, and compare all bytes."""
        wanted = {**FOLDER, "small.txt": SMALL, "large.bin": LARGE}
        with tempfile.TemporaryDirectory() as folder:
            into: dict[str, Any] = {"local_dir": folder}
            for more in ({}, into):
                root = Path(snapshot_download(**self.repo, **more))
                found = {
                    path.relative_to(root).as_posix(): path.read_bytes()
                    for path in root.rglob("*")
                    if path.is_file() and ".cache" not in path.relative_to(root).parts
                }
                found.pop(".gitattributes", None)
                same(sorted(found), sorted(wanted))
                same([path for path in wanted if found[path] != wanted[path]], [])

    def find(self) -> None:
        """Find the repository in a listing by its owner and its tag."""
        user = self.repo["repo_id"].split("/")[0]
        models = self.kind == "model"
        listing: Callable[..., Any] = self.api.list_models if models else self.api.list_datasets
        found = [each.id for each in listing(author=user, filter="probe", full=True)]
        same(found.count(self.repo["repo_id"]), 1)

    def pull_request(self) -> None:
        """Propose a change, read it at its own revision, merge it, and read it on main."""
        made = self.api.upload_file(
            path_or_fileobj=b"proposed\n", path_in_repo="proposed.txt", create_pr=True, **self.repo
        )
        number = int(made.pr_num)
        same(self.api.file_exists(filename="proposed.txt", **self.repo), False)
        proposed = hf_hub_download(filename="proposed.txt", revision=made.pr_revision, **self.repo)
        same(Path(proposed).read_bytes(), b"proposed\n")
        if self.api.get_discussion_details(discussion_num=number, **self.repo).status == "draft":
            self.api.change_discussion_status(discussion_num=number, new_status="open", **self.repo)
        self.api.merge_pull_request(discussion_num=number, **self.repo)
        same(self.api.get_discussion_details(discussion_num=number, **self.repo).status, "merged")
        same(self.api.file_exists(filename="proposed.txt", **self.repo), True)

    def tags(self) -> None:
        """Tag main, read by the tag, take it away."""
        self.api.create_tag(tag="v1.0", **self.repo)
        read = hf_hub_download(filename="small.txt", revision="v1.0", **self.repo)
        same(Path(read).read_bytes(), SMALL)
        same([tag.name for tag in self.api.list_repo_refs(**self.repo).tags], ["v1.0"])
        self.api.delete_tag(tag="v1.0", **self.repo)
        same(self.api.list_repo_refs(**self.repo).tags, [])

    def branches(self) -> None:
        """Commit on a branch that main knows nothing of, take it away."""
        self.api.create_branch(branch="try/this", **self.repo)
        self.api.upload_file(
            path_or_fileobj=b"only here\n", path_in_repo="b.txt", revision="try/this", **self.repo
        )
        same("b.txt" in self.api.list_repo_files(revision="try/this", **self.repo), True)
        same("b.txt" in self.api.list_repo_files(**self.repo), False)
        self.api.delete_branch(branch="try/this", **self.repo)
        names = [branch.name for branch in self.api.list_repo_refs(**self.repo).branches]
        same(names, ["main"])

    def delete_file(self) -> None:
        """Delete a file, and read it still at the commit before."""
        before = self.api.repo_info(**self.repo).sha
        self.api.delete_file(path_in_repo="small.txt", **self.repo)
        same(self.api.file_exists(filename="small.txt", **self.repo), False)
        read = hf_hub_download(filename="small.txt", revision=before, **self.repo)
        same(Path(read).read_bytes(), SMALL)
        same([each.commit_id for each in self.api.list_repo_commits(**self.repo)][1], before)

    def delete(self) -> None:
        """Delete the repository."""
        self.api.delete_repo(**self.repo)
        same(self.api.repo_exists(**self.repo), False)


if __name__ == "__main__":
    probe = Probe(os.environ["PROBE_USER"], os.environ["PROBE_KIND"])
    take(probe.steps(), f"huggingface_hub {huggingface_hub.__version__}")
