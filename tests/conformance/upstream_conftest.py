"""The conftest of huggingface_hub's own tests, for a run against one server.

The release on PyPI comes without one. `run.py` puts this file beside those tests as conftest.py.
HF_ENDPOINT must name the server, and HUGGINGFACE_CO_STAGING must not be set: it would send the
client elsewhere whatever the endpoint.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import HfApi, RepoUrl, constants
from huggingface_hub.utils import _detect_agent

from . import testing_constants  # type: ignore[attr-defined]
from .testing_utils import repo_name  # type: ignore[import-not-found]

ENDPOINT = os.environ["HF_ENDPOINT"]
# The tests import this name when they are collected, which is after this file.
testing_constants.ENDPOINT_STAGING = ENDPOINT

RepoFactory = Callable[..., RepoUrl]  # the tests annotate with it

MARKERS = "api deprecated git_lfs inference no_xet production transfer vcr xet".split()
ELSEWHERE = ("git_lfs", "no_xet", "production", "vcr")
WITHOUT_XET = os.environ.get("HF_HUB_DISABLE_XET") == "1"
FOLDERS = {
    "HF_HOME": "",
    "HF_HUB_CACHE": "hub",
    "HUGGINGFACE_HUB_CACHE": "hub",
    "HF_XET_CACHE": "xet",
    "HF_ASSETS_CACHE": "assets",
    "HF_TOKEN_PATH": "token",
    "HF_STORED_TOKENS_PATH": "stored_tokens",
}

_sent: list[str] = []


def _counted(send: Callable[..., Any]) -> Callable[..., Any]:
    def counting(client: Any, request: Any, **more: Any) -> Any:
        if str(request.url).startswith(ENDPOINT):
            _sent.append(request.method)
        return send(client, request, **more)

    return counting


httpx2.Client.send = _counted(httpx2.Client.send)  # type: ignore[method-assign]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers that the tests carry."""
    for name in MARKERS:
        config.addinivalue_line("markers", f"{name}: huggingface_hub's own")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what can only run against huggingface.co."""
    skip = pytest.mark.skip(reason="needs huggingface.co, or a client without hf_xet")
    for item in items:
        if any(item.get_closest_marker(name) for name in ELSEWHERE):
            item.add_marker(skip)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Forget what the test before has sent."""
    _sent.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Note in the report how many requests a test has sent to the server."""
    found = yield
    item.user_properties.append(("requests", len(_sent)))
    return found


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as home:
        for name, below in FOLDERS.items():
            monkeypatch.setattr(constants, name, str(Path(home, below)))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_EXPERIMENTAL_WARNING", True)
        monkeypatch.setattr(_detect_agent, "_registry", _detect_agent._EMPTY_REGISTRY)
        if request.node.get_closest_marker("xet"):
            monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", WITHOUT_XET)
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "200")
        yield


@pytest.fixture(scope="session")
def api() -> HfApi:
    """Give a client of the user that owns most of what the tests make."""
    return HfApi(endpoint=ENDPOINT, token=testing_constants.TOKEN)


@pytest.fixture
def repo_factory(api: HfApi) -> Iterator[RepoFactory]:
    """Give a function that makes a repository, which is gone after the test."""
    made: list[tuple[str, str, Any]] = []

    def make(repo_type: str = "model", repo_id: str | None = None, **more: Any) -> RepoUrl:
        if repo_type == "space":
            more.setdefault("space_sdk", "gradio")
        repo_id = repo_id or repo_name(prefix=repo_type)
        url = api.create_repo(repo_id=repo_id, repo_type=repo_type, **more)
        made.append((url.repo_id, repo_type, more.get("token")))
        return url

    yield make
    for repo_id, repo_type, token in made:
        api.delete_repo(repo_id, repo_type=repo_type, token=token, missing_ok=True)


@pytest.fixture
def new_repo_id(api: HfApi) -> Iterator[str]:
    """Give the id of a model that isn't there yet, and is gone after the test."""
    repo_id = f"{testing_constants.USER}/{repo_name()}"
    yield repo_id
    api.delete_repo(repo_id, missing_ok=True)
