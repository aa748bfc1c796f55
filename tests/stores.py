"""Stores that nobody serves: an empty one, one with a model in it, and the model's files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hubtl.registry.fingerprint import files_in
from hubtl.server.hub import TeamHub, open_hub
from hubtl.server.importing import import_files
from hubtl.server.refs import resolve
from hubtl.server.repos import find_repo
from hubtl.server.trees import file_at

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


def quiet(step: str, done: int, total: int) -> None:
    """Progress that nobody sees."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TeamHub]:
    """A store with nothing in it."""
    made = open_hub(tmp_path / "store")
    yield made
    made.close()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A model of two small texts, one in a folder, and weights."""
    folder = tmp_path / "model"
    (folder / "more").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: mit\npipeline_tag: text-classification\n---\n")
    (folder / "more" / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 100)
    return files_in(folder)


@pytest.fixture
def filled(store: TeamHub, files: dict[str, Path]) -> TeamHub:
    """A store with one model."""
    import_files(store, "model", "acme/moods", files, ONE, "hubtl")
    return store


def sha256_of(hub: TeamHub, path: str) -> str:
    with hub.database.reading() as db:
        repo, _ = find_repo(db, "model", "acme", "moods")
        return file_at(db, resolve(db, repo).tree, path).sha256
