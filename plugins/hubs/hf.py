"""The hub `hf`: huggingface.co, or any server that speaks its API, through huggingface_hub."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.cache import check_id
from ...registry.entry import Entry, File, Query
from ...registry.errors import (
    Refused,
)
from ...registry.index.bringing import Page
from ...registry.places import setting
from ...registry.weights import entry_from_metadata
from ..hookspecs import Draft, Hub, Offer, hookimpl
from .hf_collections import collect
from .hf_delivery import Delivery
from .hf_draft import drafted
from .hf_errors import LOG_IN, told
from .hf_line import matter
from .hf_listing import Lister
from .hf_mirror import mirror_base
from .hf_offer import offered
from .hf_patience import patiently
from .hf_search import models

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

HUGGING_FACE = "https://huggingface.co"
COLLECT = "ask its owner for the role `write`, to keep its collections"


class HuggingFace:
    """A server that speaks the Hub's API; huggingface.co, or HF_ENDPOINT, unless it has a URL."""

    name = "hf"
    needs_network = True

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint
        if endpoint is not None:
            self.name = endpoint

    def at(self, address: str) -> HuggingFace:
        """Return the hub that serves at a URL."""
        return HuggingFace(address.rstrip("/"))

    @property
    def endpoint(self) -> str:
        """Where requests go."""
        return self._endpoint or os.environ.get("HF_ENDPOINT", HUGGING_FACE).rstrip("/")

    @property
    def api(self) -> HfApi:
        """The client, with whatever token huggingface_hub finds."""
        from huggingface_hub import HfApi
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()
        return HfApi(endpoint=self.endpoint, library_name="hubtl", token=self._token())

    def _token(self) -> bool | None:
        """Return whether to send a token: the stored one goes only to the hub it was stored for."""
        ours = {HUGGING_FACE, os.environ.get("HF_ENDPOINT", "").rstrip("/"), setting("hub")}
        return None if self.endpoint in ours or os.environ.get("HF_TOKEN") else False

    def address(self, model: str) -> str:
        """Return a model's page."""
        return f"{self.endpoint}/{model}"

    def search(self, query: Query) -> Iterable[Entry]:
        """Ask the hub live, page by page as they are wanted; hubtl orders and filters them."""
        with self.told(query.words or "the hub"):
            yield from map(self._entry, models(self.api, query))

    def pages(
        self, *, organisation: str | None, least: int, start: str, etag: str = ""
    ) -> Iterable[Page]:
        """Give what the hub lists, page by page from the one at `start`, the most used first.

        There is no page where nothing has changed since the hub called it by `etag`.
        """
        return self._lister.pages(organisation=organisation, least=least, start=start, etag=etag)

    def changes(self, *, since: str, least: int, start: str) -> Iterable[Page]:
        """Give what has changed since a date, page by page from the one at `start`, last first."""
        return self._lister.changes(since=since, least=least, start=start)

    def newest(self) -> str:
        """Return when the model that was changed last was changed, or an empty text."""
        return self._lister.newest()

    def parts(self, *, least: int, told: Callable[[int], None]) -> tuple[tuple[str, ...], int]:
        """Return where parts of the whole listing start, and how many models they have."""
        return self._lister.parts(least=least, told=told)

    @property
    def _lister(self) -> Lister:
        return Lister(self.endpoint, self._token(), self.name)

    def entry(self, model: str, revision: str | None = None) -> Entry:
        """Return a model at a revision resolved to a commit, with its files' hashes."""
        with self.told(model, revision):
            return self._entry(self.api.model_info(model, revision=revision, files_metadata=True))

    def fetch(self, entry: Entry, paths: Sequence[str], room: Path) -> Path:
        """Download these files into `room`, past every cache: what comes is what the hub has."""
        with self.told(entry.id, entry.revision):
            self.download(entry.id, entry.revision, room, list(paths))
        return room

    def data(self, dataset: str, revision: str | None = None) -> Entry:
        """Return a data set at a revision resolved to a commit, with its files' hashes."""
        with self.told(dataset, revision, noun="data set"):
            info = self.api.dataset_info(dataset, revision=revision, files_metadata=True)
            files = {each.rfilename: _file(each) for each in info.siblings or []}
            return Entry(info.id, self.name, revision=info.sha, files=files)

    def fetch_data(self, entry: Entry, paths: Sequence[str], room: Path) -> None:
        """Download these files of a data set into `room`, and nowhere else."""
        with self.told(entry.id, entry.revision, noun="data set"):
            self.download(entry.id, entry.revision, room, list(paths), "dataset")

    def download(
        self,
        model: str,
        revision: str | None,
        room: Path,
        paths: list[str] | None = None,
        kind: str = "model",
    ) -> None:
        """Fill `room` from the network; the client's own cache is kept out of it."""
        self.api.snapshot_download(
            model,
            repo_type=kind,
            revision=revision,
            allow_patterns=paths,
            local_dir=room,
            cache_dir=room / ".cache" / "none",
        )

    def draft(self, model: str, folder: Path, *, private: bool, message: str) -> Draft:
        """Send a folder to a branch of its own; `main` stays as it is until it is accepted."""
        check_id(model)
        return drafted(Delivery.of(self, model, folder, message), self.user(), private=private)

    def offer(self, model: str, folder: Path, *, message: str) -> Offer:
        """Send a folder to a pull request; `main` is for those to change who may."""
        check_id(model)
        return offered(Delivery.of(self, model, folder, message), self.user())

    def user(self) -> str:
        """Return whose token is sent; raises Refused where there is none."""
        from huggingface_hub.errors import LocalTokenNotFoundError

        api = self.api
        try:
            if api.token is False:
                raise LocalTokenNotFoundError

            def whoami() -> str:
                with self.told("you"):
                    return str(api.whoami()["name"])

            return patiently(whoami)
        except LocalTokenNotFoundError as error:
            raise Refused(f"{self.endpoint} wants to know who you are", LOG_IN) from error

    def versions(self, model: str) -> Mapping[str, str]:
        """Return the commit of each tag."""
        with self.told(model):
            return {tag.name: tag.target_commit for tag in self.api.list_repo_refs(model).tags}

    def collect(self, model: str) -> None:
        """Put a published model into its owner's collection for its domain, out of any other's.

        Raises the HubtlError that says why that can't be.
        """
        done: tuple[str, ...] | None = None
        # Somebody may publish it for another domain meanwhile: then what is last is what holds.
        while done != (domains := self.entry(model).domains):
            with self.told(model, forbidden=COLLECT):
                private = bool(self.api.model_info(model).private)
                collect(self.api, model, domains, private=private)
            done = domains

    def mirror(self, entry: Entry, folder: Path, owner: str, *, private: bool) -> Entry:
        """Put a base under its owner's name: a server gives its own commit ids."""
        return mirror_base(self, entry, folder, owner, private=private)

    def _entry(self, info: ModelInfo) -> Entry:
        card: Any = info.card_data
        told = matter(card.to_dict() if card else {}, info.tags)
        told = {"pipeline_tag": info.pipeline_tag, **told}
        files = {each.rfilename: _file(each) for each in info.siblings or []}
        entry = entry_from_metadata(info.id, self.name, told, files, info.sha or "")
        params = info.safetensors.total if info.safetensors else None
        return dataclasses.replace(entry, params=params, downloads=info.downloads)

    def told(
        self,
        model: str,
        revision: str | None = None,
        noun: str = "model",
        forbidden: str = "",
    ) -> AbstractContextManager[None]:
        """Turn the client's exceptions into what a user can act on.

        Where something is written, `forbidden` says what one can do who may not.
        """
        return told(self.endpoint, model, revision, noun, forbidden)


def _file(sibling: Any) -> File:
    if sibling.lfs:
        return File(sibling.size or 0, sibling.lfs.sha256)
    return File(sibling.size or 0, git_sha1=sibling.blob_id)


@hookimpl
def register_hubs() -> list[Hub]:
    """Offer the Hub."""
    return [HuggingFace()]
