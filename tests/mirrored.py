"""Two team hubs, of which one fetches from the other what it has not."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from hubtl.plugins.hubs.hf_upstream import HubUpstream
from hubtl.registry.fingerprint import files_in
from hubtl.server import checking
from hubtl.server.importing import import_files

from .serving import TeamHubServer
from .stores import ONE, quiet
from .way import Way

NAME = "lab/moods"
WEIGHTS = bytes(range(256)) * 4000  # a megabyte
CARD = "---\nlicense: mit\npipeline_tag: text-classification\n---\n# Moods\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder: a card and a text in a folder, which are small, and weights."""
    folder = tmp_path / "model"
    (folder / "more").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    (folder / "more" / "words.txt").write_text("great\nawful\n")
    (folder / "model.bin").write_bytes(WEIGHTS)
    return folder


@pytest.fixture
def source(tmp_path: Path, model: Path) -> Iterator[TeamHubServer]:
    """The other hub, which has the model at the commit ONE."""
    with TeamHubServer(tmp_path / "source") as server:
        import_files(server.hub, "model", NAME, files_in(model), ONE, "lab")
        yield server


@pytest.fixture
def way(source: TeamHubServer) -> Iterator[Way]:
    """The way to the other hub."""
    with Way(source.url) as way:
        yield way


@pytest.fixture
def mirror(tmp_path: Path, way: Way) -> Iterator[TeamHubServer]:
    """The hub under test."""
    with mirroring(tmp_path, way) as server:
        yield server


@contextlib.contextmanager
def mirroring(tmp_path: Path, way: Way, token: str | None = None, **policy) -> Iterator:
    """Give the hub under test, with a token for the other and a policy of its own."""
    upstream = HubUpstream(way.url, token)
    with TeamHubServer(tmp_path / "mirror", upstream, **policy) as server:
        yield server


def snapshot(server: TeamHubServer, cache: Path, revision: str | None = None) -> dict[str, bytes]:
    """Return what the Hub's own client brings of the model, into a cache that is empty."""
    shutil.rmtree(cache, ignore_errors=True)
    folder = server.api("dan").snapshot_download(NAME, revision=revision, cache_dir=cache)
    return contents(Path(folder))


def download(api: HfApi, name: str, path: str, room: Path, **more: str) -> bytes:
    """Return a file as the Hub's own client brings it, past the cache of this machine."""
    return Path(api.hf_hub_download(name, path, cache_dir=room / "cache", **more)).read_bytes()


def contents(folder: Path) -> dict[str, bytes]:
    return {path: at.read_bytes() for path, at in files_in(folder).items()}


def sent(server: TeamHubServer) -> float:
    """Return the bytes that a hub has sent in all."""
    return server.hub.registry.get_sample_value("hubtl_sent_bytes_total") or 0.0


def problems(server: TeamHubServer) -> tuple[str, ...]:
    return checking.check(server.hub, quiet).problems


def file(path: str, revision: str = "main", name: str = NAME) -> str:
    return f"/{name}/resolve/{revision}/{path}"
