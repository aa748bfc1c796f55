"""A publication that meets a fault at every one of its requests in turn, and what is left.

python -m tests.publish_faults    prints a line a fault; exits 1 where a promise was broken
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import tempfile
import time
import unittest.mock
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import logging

from hubtl.registry.entry import Query
from hubtl.registry.errors import HubtlError
from hubtl.registry.fingerprint import files_in, git_sha1, sha256
from hubtl.sources import open_hub

from .faulty import CUT, KILL, LOSE, Fault, FaultyHub, at, faulty_hub, since
from .serving import TOKENS

FATES: dict[str, Callable[[int], Fault]] = {
    "the request is cut": lambda number: at(number, CUT),
    "the answer is lost": lambda number: at(number, LOSE),
    "the server is killed": lambda number: at(number, KILL),
    "the network is gone from there on": lambda number: since(number, CUT),
    "all answers are lost from there on": lambda number: since(number, LOSE),
}
CARD = "---\nlicense: mit\nbase_model: acme/tiny\ntags: [hubtl]\n---\n# Moods, version {}\n"
MESSAGE = "version {}"


@dataclass(frozen=True, slots=True)
class Versions:
    """Two versions of an adapter: of the second, the weights and the card are others."""

    first: Path
    second: Path


def two_versions(room: Path, weights: int = 20_000) -> Versions:
    """Write two versions of what could be an adapter, but that nobody needs to load.

    Weights depend on the folder's name: what a hub has of another adapter is not sent again.
    """
    dice = random.Random(room.name)
    for number in (1, 2):
        folder = room / str(number)
        (folder / "3_Dense").mkdir(parents=True)
        (folder / "README.md").write_text(CARD.format(number))
        (folder / "adapter_config.json").write_text("{}")
        (folder / "tokenizer.json").write_text('{"words": "' + "word " * 4000 + '"}')
        (folder / "3_Dense" / "model.safetensors").write_bytes(dice.randbytes(weights))
    (room / "1" / "old.json").write_text("{}")
    return Versions(room / "1", room / "2")


def deliver(hub: FaultyHub, name: str, folder: Path, version: int) -> str:
    """Publish as `hubtl.publish` does, up to the proof: what comes back is compared, not run."""
    draft = open_hub(hub.url).draft(name, folder, private=True, message=MESSAGE.format(version))
    try:
        with tempfile.TemporaryDirectory() as room:
            assert hashes(draft.fetch(Path(room))) == hashes(folder), (
                "the draft is not what was sent"
            )
        return draft.accept(f"v{version}")
    except BaseException:
        draft.discard()
        raise


def hashes(folder: Path) -> dict[str, str]:
    """Return what a hub calls a folder's files."""
    named = {
        path: sha256 if at.suffix == ".safetensors" else git_sha1
        for path, at in files_in(folder).items()
    }
    return {path: name(folder / path) for path, name in named.items()}


def on_main(hub: FaultyHub, name: str) -> dict[str, str] | None:
    """Return what the hub has on main, or None where there is no such repository."""
    api = hub.api("ana")
    if not api.repo_exists(name):
        return None
    assert api.model_info(name).private
    tree = api.list_repo_tree(name, recursive=True)
    files = {each.path: each for each in tree if hasattr(each, "blob_id")}
    del files[".gitattributes"]
    return {path: each.lfs.sha256 if each.lfs else each.blob_id for path, each in files.items()}


def meet(hub: FaultyHub, room: Path, version: int, fault: Fault) -> str:
    """Publish a version with a fault, then again without; return how the first call ended.

    Raises AssertionError where main is ever anything but the old or the new whole, where the second
    call does not complete, or where it leaves a second commit or a draft behind.
    """
    hub.listen()
    name, versions = f"acme/{room.name}", two_versions(room)
    if version == 2:
        deliver(hub, name, versions.first, 1)
    folder = versions.first if version == 1 else versions.second
    before = on_main(hub, name)
    hub.listen()
    hub.fault = fault
    try:
        deliver(hub, name, folder, version)
        ended = "mended by itself"
    except HubtlError as error:
        ended = f"{type(error).__name__}: {error.message}"
    hub.listen()
    after = on_main(hub, name)
    assert after in (before, hashes(folder)) or (before is None and after == {}), f"half: {after}"
    if after != hashes(folder):
        found = open_hub(hub.url).search(Query(name.partition("/")[2]))
        assert version == 2 or not [entry for entry in found if entry.id == name], "it is listed"
    commit = deliver(hub, name, folder, version)
    assert on_main(hub, name) == hashes(folder)
    api = hub.api("ana")
    refs = api.list_repo_refs(name)
    assert {each.name: each.target_commit for each in refs.branches} == {"main": commit}
    assert {each.name: each.target_commit for each in refs.tags}[f"v{version}"] == commit
    titles = [each.title for each in api.list_repo_commits(name)]
    assert titles == [MESSAGE.format(n) for n in range(version, 0, -1)] + ["initial commit"], titles
    return ended


def requests_of(hub: FaultyHub, room: Path, version: int) -> int:
    """Return how many requests a publication without a fault makes."""
    name, versions = f"acme/{room.name}", two_versions(room)
    if version == 2:
        deliver(hub, name, versions.first, 1)
    hub.listen()
    deliver(hub, name, versions.second if version == 2 else versions.first, version)
    return len(hub.requests)


@contextlib.contextmanager
def as_ana() -> Iterator[None]:
    """Be ana, whose clients wait for nothing: what they would wait, has passed."""
    from huggingface_hub.utils._xet import abort_xet_session

    wait = {"HF_XET_CLIENT_RETRY_BASE_DELAY": "1ms", "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "2"}
    with (
        unittest.mock.patch.dict(os.environ, {"HF_TOKEN": TOKENS["ana"], **wait}),
        unittest.mock.patch.object(time, "sleep", lambda seconds: None),
    ):
        abort_xet_session()
        yield
    abort_xet_session()


def main() -> None:
    """Walk over every request of a first and of a second publication, once for each fate."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="only each so many requests")
    step = parser.parse_args().every
    os.environ.setdefault("HUBTL_PLUGINS", "")
    logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as room, faulty_hub(Path(room)) as hub, as_ana():
        os.environ["HF_HOME"] = os.environ["HUBTL_HOME"] = str(Path(room, "home"))
        for version in (1, 2):
            requests = requests_of(hub, Path(room, f"no-fault-{version}"), version)
            print(f"version {version} takes {requests} requests")
            for what, fault in FATES.items():
                for number in range(1, requests + 1, step):
                    case = Path(room, f"v{version}-{what.replace(' ', '-')}-{number}")
                    ended = meet(hub, case, version, fault(number))
                    print(f"version {version}, request {number:2}: {what}: {ended}", flush=True)


if __name__ == "__main__":
    main()
