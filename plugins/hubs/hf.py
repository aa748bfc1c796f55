"""The hub `hf`: huggingface.co, or any server that speaks its API, through huggingface_hub."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.cache import check_id
from ...registry.entry import Entry, File, Query
from ...registry.errors import (
    HubtlError,
    NotReproduced,
    Refused,
    UnknownName,
    Unreachable,
    taken,
    unknown,
)
from ...registry.fingerprint import files_in
from ...registry.places import setting
from ...registry.weights import entry_from_metadata
from ..hookspecs import Draft, Hub, hookimpl

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
        with self._told(query.words or "the hub"):
            listed = self.api.list_models(
                search=query.words or None,
                author=query.organisation,
                pipeline_tag=query.task,
                filter=list(_tags(query)) or None,
                expand=LISTED,  # type: ignore[arg-type]
                limit=max(query.limit, 20),
            )
            return [self._entry(info) for info in listed]

    def entry(self, model: str, revision: str | None = None) -> Entry:
        """Return a model at a revision resolved to a commit, with its files' hashes."""
        with self._told(model, revision):
            return self._entry(self.api.model_info(model, revision=revision, files_metadata=True))

    def fetch(self, entry: Entry, paths: Sequence[str], room: Path) -> Path:
        """Download these files into `room`, past every cache: what comes is what the hub has."""
        with self._told(entry.id, entry.revision):
            self.api.snapshot_download(
                entry.id, revision=entry.revision, allow_patterns=list(paths), local_dir=room
            )
        return room

    def draft(self, model: str, folder: Path, *, private: bool, message: str) -> Draft:
        """Send a folder to a branch of its own; `main` stays as it is until it is accepted."""
        from huggingface_hub import CommitOperationAdd

        check_id(model)
        branch = f"hubtl-draft-{secrets.token_hex(4)}"
        with self._told(model, writing=True):
            new = not self.api.repo_exists(model)
        draft = HubDraft(self, model, branch, "", new, folder, message)
        try:
            with self._told(model, writing=True):
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

    def mirror(self, entry: Entry, folder: Path) -> None:
        """Refuse: a server gives its own commit ids, so a base must come there by its own road."""
        raise Refused(
            f"`{entry.id}` is not on {self.endpoint} at {entry.revision}",
            f"ask the server's owner to mirror it, or publish to folder:PATH with --with-base: "
            f"`hubtl show {entry.id}`",
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
    def _told(
        self, model: str, revision: str | None = None, writing: bool = False
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
                f"there is no model `{model}` on {self.endpoint}, or you may not see it",
                "`hf auth login` gives access to private ones",
            ) from error
        except errors.HFValidationError as error:
            raise unknown("model id", model, (), "an id is ORG/NAME") from error
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


@dataclass(frozen=True, slots=True)
class HubDraft:
    """A commit on a branch of its own."""

    hub: HuggingFace
    model: str
    branch: str
    before: str
    new: bool
    folder: Path
    message: str
    revision: str = ""

    def fetch(self, room: Path) -> Path:
        """Download the draft into an empty folder, over the network."""
        with self.hub._told(self.model, self.revision):
            self.hub.api.snapshot_download(self.model, revision=self.revision, local_dir=room)
        return room

    def accept(self, tag: str | None = None) -> str:
        """Commit the same files to `main` at once, unless somebody else has moved it."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        api = self.hub.api
        files = files_in(self.folder)
        with self.hub._told(self.model, writing=True):
            now = api.model_info(self.model).sha
            if now != self.before:
                raise NotReproduced(
                    f"somebody published `{self.model}` in the meantime",
                    f"look at theirs: `hubtl show {self.model}`, then publish again",
                )
            tags = {each.name: each.target_commit for each in api.list_repo_refs(self.model).tags}
            if tag in tags:
                raise taken(self.model, str(tag))
            stale = set(api.list_repo_files(self.model)) - set(files) - {".gitattributes"}
            operations: list[Any] = [CommitOperationAdd(path, at) for path, at in files.items()]
            operations += [CommitOperationDelete(path) for path in sorted(stale)]
            commit = api.create_commit(
                self.model, operations, commit_message=self.message, parent_commit=self.before
            )
            proven, live = self._hashes(self.revision), self._hashes(str(commit.oid))
            if {p: live.get(p) for p in files} != {p: proven.get(p) for p in files}:
                raise NotReproduced(
                    f"{self.hub.endpoint} keeps other bytes on main than those that were proven",
                    f"`hubtl verify {self.model}`",
                )
            if tag:
                api.create_tag(self.model, tag=tag, revision=str(commit.oid))
        # The model is published: a branch that stays behind is no reason to say otherwise.
        with contextlib.suppress(HubtlError), self.hub._told(self.model, writing=True):
            api.delete_branch(self.model, branch=self.branch)
        return str(commit.oid)

    def discard(self) -> None:
        """Delete the branch; the repository too, if it was made for this and nobody has used it."""
        api = self.hub.api
        with contextlib.suppress(HubtlError), self.hub._told(self.model, writing=True):
            if self.new and api.model_info(self.model).sha == self.before:
                api.delete_repo(self.model, missing_ok=True)
            else:
                api.delete_branch(self.model, branch=self.branch)

    def _hashes(self, revision: str) -> Mapping[str, str]:
        from huggingface_hub.hf_api import RepoFile

        tree = self.hub.api.list_repo_tree(self.model, revision=revision, recursive=True)
        return {
            each.path: each.lfs.sha256 if each.lfs else each.blob_id
            for each in tree
            if isinstance(each, RepoFile)
        }


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
