"""The hub `hf`: huggingface.co, or any server that speaks its API, through huggingface_hub."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.cache import check_id
from ...registry.entry import Entry, File, Query
from ...registry.errors import (
    HubtlError,
    Refused,
    UnknownName,
    Unreachable,
    unknown,
)
from ...registry.places import setting
from ...registry.weights import entry_from_metadata
from ..hookspecs import Draft, Hub, Offer, hookimpl
from .hf_delivery import Delivery, overtaken
from .hf_draft import drafted
from .hf_offer import offered
from .hf_patience import patiently, wait_asked_by

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

HUGGING_FACE = "https://huggingface.co"
LOG_IN = "`hf auth login`"
LISTED = ["cardData", "downloads", "pipeline_tag", "safetensors", "sha", "siblings", "tags"]


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
        """Ask the hub live; hubtl orders and filters what comes back."""
        with self.told(query.words or "the hub"):
            listed = self.api.list_models(
                search=query.words or None,
                author=query.organisation,
                pipeline_tag=query.task,
                filter=list(_tags(query)) or None,
                expand=LISTED,  # type: ignore[arg-type]
                limit=max(query.limit, 20),
            )
            return [self._entry(info) for info in listed if not _is_empty(info)]

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

    def mirror(self, entry: Entry, folder: Path) -> None:
        """Refuse: a server gives its own commit ids, so a base must come there by its own road."""
        raise Refused(
            f"`{entry.id}` is not on {self.endpoint} at {entry.revision}",
            f"who looks after a team hub puts it there: `hubtl hub import {entry.id}`; "
            "or publish to folder:PATH with --with-base",
        )

    def _entry(self, info: ModelInfo) -> Entry:
        card: Any = info.card_data
        matter: dict[str, Any] = card.to_dict() if card else {}
        matter = {"pipeline_tag": info.pipeline_tag, "tags": info.tags, **matter}
        files = {each.rfilename: _file(each) for each in info.siblings or []}
        entry = entry_from_metadata(info.id, self.name, matter, files, info.sha or "")
        params = info.safetensors.total if info.safetensors else None
        return dataclasses.replace(entry, params=params, downloads=info.downloads)

    @contextlib.contextmanager
    def told(
        self,
        model: str,
        revision: str | None = None,
        noun: str = "model",
        forbidden: str = "",
    ) -> Iterator[None]:
        """Turn the client's exceptions into what a user can act on.

        Where something is written, `forbidden` says what one can do who may not.
        """
        from huggingface_hub import errors

        try:
            yield
        except errors.GatedRepoError as error:
            raise Refused(
                f"`{model}` is gated", f"accept its terms at {self.address(model)}, then try again"
            ) from error
        except errors.RevisionNotFoundError as error:
            raise UnknownName(
                f"`{model}` has no revision `{revision}` on {self.endpoint}",
                f"`{model}@main` is what it has now",
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise UnknownName(
                f"there is no {noun} `{model}` on {self.endpoint}, or you may not see it",
                "`hf auth login` gives access to private ones",
            ) from error
        except errors.HFValidationError as error:
            raise unknown(f"{noun} id", model, (), "an id is ORG/NAME") from error
        except errors.OfflineModeIsEnabled as error:
            raise Unreachable(
                f"{self.endpoint} can't be asked for `{model}`: HF_HUB_OFFLINE is set",
                "unset HF_HUB_OFFLINE, or use --hub starter or --hub folder:PATH",
            ) from error
        except errors.HfHubHTTPError as error:
            raise self._refusal(model, error, forbidden) from error
        except Exception as error:
            if not _is_network(error):
                raise
            raise Unreachable(
                f"{self.endpoint} can't be reached",
                "check the network, or use --hub starter or --hub folder:PATH",
            ) from error

    def _refusal(self, model: str, error: Exception, forbidden: str) -> HubtlError:
        response = getattr(error, "response", None)
        status = response.status_code if response is not None else "no answer"
        if status == 401:
            return Refused(f"{self.endpoint} does not accept your token", LOG_IN)
        if status == 403 and forbidden:
            owner = model.partition("/")[0]
            return Refused(f"you may not write to `{owner}` on {self.endpoint}", forbidden)
        if status == 412:
            return overtaken(model)
        said = getattr(error, "server_message", None) or str(error).splitlines()[0]
        wait = wait_asked_by(response.headers) if response is not None else 0
        return Unreachable(
            f"{self.endpoint} refused `{model}`: {status}, {said}",
            f"try again in {wait} s" if wait else "try again later",
        )


def _is_network(error: Exception) -> bool:
    """Return whether it is the network that failed, in any of the libraries below the client."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error, HubtlError):
        return False
    # The client's HTTP library raises its own; which one has changed between versions. hf_xet, that
    # carries large files, raises Python's, or RuntimeError where a file does not come back.
    http = any(kind.__module__.startswith("http") for kind in type(error).__mro__)
    xet = isinstance(error, RuntimeError) and "CAS Client Error" in str(error)
    others = (ConnectionError, TimeoutError, LocalEntryNotFoundError, JSONDecodeError)
    return http or xet or isinstance(error, others)


def _is_empty(info: ModelInfo) -> bool:
    """Return whether a repository has nothing yet: one that was made, and not published to."""
    return {each.rfilename for each in info.siblings or []} == {".gitattributes"}


def _file(sibling: Any) -> File:
    if sibling.lfs:
        return File(sibling.size or 0, sibling.lfs.sha256)
    return File(sibling.size or 0, git_sha1=sibling.blob_id)


def _tags(query: Query) -> Iterator[str]:
    """Yield the tags by which the hub itself narrows a search."""
    if query.base:
        yield f"base_model:adapter:{query.base}"
    if query.domain:
        yield f"domain:{query.domain}"
    if query.licence:
        yield f"license:{query.licence}"
    if query.language:
        yield query.language


@hookimpl
def register_hubs() -> list[Hub]:
    """Offer the Hub."""
    return [HuggingFace()]
