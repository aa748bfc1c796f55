"""A draft on a hub: a commit on a branch of its own, until it is proven.

Every step looks first at what is there and does what is missing. So it can be done again, by the
same call or by a later one, whatever became of the answer.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...registry.errors import HubtlError, NotReproduced, taken
from .hf_delivery import Delivery, overtaken
from .hf_patience import patiently

STALE = timedelta(days=1)
NEW = "ask its owner for the role `write`, or publish under your own name"
THERE = "add --pr to offer it as a pull request, or ask its owner for the role `write`"


@dataclass(frozen=True, slots=True)
class HubDraft:
    """A commit on a branch that is named by its publisher and its content."""

    delivery: Delivery
    drafts: str  # how the names of this publisher's drafts begin
    new: bool
    before: str = ""
    revision: str = ""

    @property
    def branch(self) -> str:
        """The draft's branch: the same for the same files, so a second call finds the first's."""
        return f"{self.drafts}{self.delivery.content[:12]}"

    def sent(self) -> HubDraft:
        """Return the draft as the hub has it now, having sent what it had not."""
        delivery = self.delivery
        api, model = delivery.hub.api, delivery.model
        with delivery.hub.told(model, forbidden=THERE):
            before = str(api.model_info(model).sha)
            if delivery.arrived(before):
                return dataclasses.replace(self, before=before, revision=before)
            head = self._branches().get(self.branch, "")
            changes = delivery.changes(head or before)
            if not changes:
                return dataclasses.replace(self, before=before, revision=head)
            if not head:
                # The branch comes last, so that one without its commit is never one in use.
                delivery.upload(changes, "main")
                api.create_branch(model, branch=self.branch, revision=before)
            commit = delivery.commit(changes, self.branch, head or before)
        return dataclasses.replace(self, before=before, revision=commit)

    def fetch(self, room: Path) -> Path:
        """Download the draft into an empty folder, over the network."""
        return fetched(self.delivery, self.revision, room)

    def accept(self, tag: str | None = None) -> str:
        """Commit the same files to `main` at once, unless somebody else has moved it."""
        commit = patiently(lambda: self._accepted(tag))
        # The model is published: a branch that stays behind is no reason to say otherwise.
        with contextlib.suppress(HubtlError):
            patiently(self._tidy)
        return commit

    def _tidy(self) -> None:
        api, model = self.delivery.hub.api, self.delivery.model
        with self.delivery.hub.told(model):
            for branch in self._branches():
                if branch == self.branch or self._stale(branch):
                    api.delete_branch(model, branch=branch)

    def _accepted(self, tag: str | None) -> str:
        delivery = self.delivery
        api, model = delivery.hub.api, delivery.model
        with delivery.hub.told(model, forbidden=THERE):
            commit = str(api.model_info(model).sha)
            done = delivery.arrived(commit)  # by a commit whose answer was lost
            if commit != self.before and not done:
                raise overtaken(model)
            tags = {each.name: each.target_commit for each in api.list_repo_refs(model).tags}
            if tag in tags and not (done and tags[tag] == commit):
                raise taken(model, str(tag))
            if not done:
                changes = delivery.changes(commit, self.revision)
                commit = delivery.commit(changes, "main", commit)
                if not delivery.arrived(commit):
                    raise NotReproduced(
                        f"{delivery.hub.endpoint} keeps other bytes on main than were proven",
                        f"`hubtl verify {model}`",
                    )
            if tag and tag not in tags:
                api.create_tag(model, tag=tag, revision=commit)
        return commit

    def discard(self) -> None:
        """Delete the branch; the repository too, if it was made for this and nobody has used it."""
        api, model = self.delivery.hub.api, self.delivery.model
        with contextlib.suppress(HubtlError), self.delivery.hub.told(model):
            branches = self._branches()
            unused = self.before in ("", branches["main"]) and {*branches} <= {"main", self.branch}
            if self.new and unused:
                api.delete_repo(model, missing_ok=True)
            elif self.branch in branches:
                api.delete_branch(model, branch=self.branch)

    def _branches(self) -> Mapping[str, str]:
        found = self.delivery.hub.api.list_repo_refs(self.delivery.model).branches
        return {each.name: each.target_commit for each in found}

    def _stale(self, branch: str) -> bool:
        """Return whether a branch is a draft of this publisher's that was left behind."""
        if not branch.startswith(self.drafts):
            return False
        last = self.delivery.hub.api.list_repo_commits(self.delivery.model, revision=branch)[0]
        return datetime.now(UTC) - last.created_at > STALE


def drafted(delivery: Delivery, user: str, *, private: bool) -> HubDraft:
    """Return a draft that is on the hub, in a repository that is made where there is none."""
    new = patiently(lambda: _made(delivery, private))
    draft = HubDraft(delivery, f"hubtl-draft-{user}-", new)
    try:
        return patiently(draft.sent)
    except BaseException:
        draft.discard()
        raise


def fetched(delivery: Delivery, revision: str, room: Path) -> Path:
    """Fill an empty folder with a revision's files, over the network."""

    def download() -> None:
        with delivery.hub.told(delivery.model, revision):
            delivery.hub.download(delivery.model, revision, room)

    patiently(download)
    return room


def _made(delivery: Delivery, private: bool) -> bool:
    """Make the repository, and return whether it was this call that made it."""
    from huggingface_hub.errors import HfHubHTTPError

    api, model = delivery.hub.api, delivery.model
    with delivery.hub.told(model, forbidden=NEW):
        if api.repo_exists(model):
            return False
        try:
            api.create_repo(model, private=private)
        except HfHubHTTPError as error:
            # Another made it just now, or this call did, and never heard of it.
            if error.response is not None and error.response.status_code == 409:
                return False
            raise
    return True
