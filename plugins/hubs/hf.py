"""The hub `hf`: huggingface.co, or any server that speaks its API, through huggingface_hub."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from ...registry.fingerprint import files_in
from ...registry.places import setting
from ...registry.weights import entry_from_metadata
from ..hookspecs import Draft, Hub, hookimpl
from .hf_collections import collect
from .hf_draft import HubDraft
from .hf_mirror import mirror_base

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

HUGGING_FACE = "https://huggingface.co"
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
            listed = (
                self.api.list_models(
                    search=query.words or None,
                    author=query.organisation,
                    pipeline_tag=query.task,
                    filter=tags or None,
                    expand=LISTED,  # type: ignore[arg-type]
                    limit=max(query.limit, 20),
                )
                for tags in _tags(query)
            )
            found = {info.id: info for each in listed for info in each}
            return [self._entry(info) for info in found.values()]

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
        from huggingface_hub import CommitOperationAdd

        check_id(model)
        branch = f"hubtl-draft-{secrets.token_hex(4)}"
        with self.told(model, writing=True):
            new = not self.api.repo_exists(model)
        draft = HubDraft(self, model, branch, "", new, folder, message)
        try:
            with self.told(model, writing=True):
                if new:
                    self.api.create_repo(model, private=private)
                before = self.api.model_info(model).sha or ""
                draft = dataclasses.replace(draft, before=before)
                self.api.create_branch(model, branch=branch, revision=before)
                commit = self.api.create_commit(
                    model,
                    [CommitOperationAdd(path, at) for path, at in files_in(folder).items()],
                    commit_message=message,
                    revision=branch,
                )
        except BaseException:
            draft.discard()
            raise
        return dataclasses.replace(draft, revision=str(commit.oid))

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
            with self.told(model, writing=True):
                private = bool(self.api.model_info(model).private)
                collect(self.api, model, domains, private=private)
            done = domains

    def mirror(self, entry: Entry, folder: Path, owner: str, *, private: bool) -> Entry:
        """Put a base under its owner's name: a server gives its own commit ids."""
        return mirror_base(self, entry, folder, owner, private=private)

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
        writing: bool = False,
        noun: str = "model",
    ) -> Iterator[None]:
        """Turn the client's exceptions into what a user can act on."""
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
            raise self._refusal(model, error, writing) from error
        except Exception as error:
            # The client's HTTP library raises its own; which one has changed between versions.
            answered = not any(kind.__module__.startswith("http") for kind in type(error).__mro__)
            if answered and not isinstance(error, errors.LocalEntryNotFoundError):
                raise
            raise Unreachable(
                f"{self.endpoint} can't be reached",
                "check the network, or use --hub starter or --hub folder:PATH",
            ) from error

    def _refusal(self, model: str, error: Exception, writing: bool) -> HubtlError:
        response = getattr(error, "response", None)
        status = response.status_code if response is not None else "no answer"
        if status == 401:
            return Refused(f"{self.endpoint} does not accept your token", "`hf auth login`")
        if status == 403 and writing:
            owner = model.partition("/")[0]
            return Refused(
                f"you may not write to `{owner}` on {self.endpoint}",
                "ask its owner for the role `write`, or publish under your own name",
            )
        said = getattr(error, "server_message", None) or str(error).splitlines()[0]
        return Unreachable(
            f"{self.endpoint} refused `{model}`: {status}, {said}", "try again later"
        )


def _file(sibling: Any) -> File:
    if sibling.lfs:
        return File(sibling.size or 0, sibling.lfs.sha256)
    return File(sibling.size or 0, git_sha1=sibling.blob_id)


def _tags(query: Query) -> list[list[str]]:
    """Return the tags by which the hub itself narrows a search; one that has any of the lists fits.

    What hubtl made of all weights of a base is the base's fine-tune on the Hub.
    """
    tags = [query.language] if query.language else []
    tags += [f"domain:{query.domain}"] if query.domain else []
    tags += [f"license:{query.licence}"] if query.licence else []
    if not query.base:
        return [tags]
    whole = ["hubtl", f"base_model:finetune:{query.base}"]
    return [[f"base_model:adapter:{query.base}", *tags], [*whole, *tags]]


@hookimpl
def register_hubs() -> list[Hub]:
    """Offer the Hub."""
    return [HuggingFace()]
