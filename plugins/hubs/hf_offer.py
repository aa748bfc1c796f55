"""A pull request on a hub: a draft of one until it is proven, then open to those who may merge."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from ...registry.errors import HubtlError, Refused
from .hf_delivery import Delivery
from .hf_draft import fetched
from .hf_patience import patiently

TOKEN = "a token that may open discussions is needed: `hf auth login`"


@dataclass(frozen=True, slots=True)
class HubOffer:
    """A pull request; whoever sent it commits to its ref, and nobody sees it on `main`."""

    delivery: Delivery
    user: str
    number: int = 0
    revision: str = ""

    @property
    def address(self) -> str:
        """The pull request's page."""
        return f"{self.delivery.hub.address(self.delivery.model)}/discussions/{self.number}"

    def opened(self) -> HubOffer:
        """Return the pull request, the one that an earlier call left unfinished where there is one.

        Raises Refused where there is nothing to offer, UnknownName where there is no such model.
        """
        delivery = self.delivery
        api, model = delivery.hub.api, delivery.model
        with delivery.hub.told(model, forbidden=TOKEN):
            if delivery.arrived("main"):
                raise Refused(f"`{model}` has these very files already", f"`hubtl show {model}`")
            mine = api.get_repo_discussions(
                model, author=self.user, discussion_type="pull_request", discussion_status="open"
            )
            for each in mine:
                ours = each.title == delivery.message
                if ours and (each.status == "draft" or delivery.arrived(each.git_reference or "")):
                    return dataclasses.replace(self, number=each.num)
            made = api.create_pull_request(model, delivery.message, description=TOLD)
        return dataclasses.replace(self, number=made.num)

    def sent(self) -> HubOffer:
        """Return the pull request with the files in it, having sent what it had not."""
        delivery, ref = self.delivery, f"refs/pr/{self.number}"
        with delivery.hub.told(delivery.model, forbidden=TOKEN):
            refs = delivery.hub.api.list_repo_refs(delivery.model, include_pull_requests=True)
            head = {each.ref: each.target_commit for each in refs.pull_requests or []}[ref]
            changes = delivery.changes(head)
            commit = delivery.commit(changes, ref, head) if changes else head
        return dataclasses.replace(self, revision=commit)

    def fetch(self, room: Path) -> Path:
        """Download what the pull request has into an empty folder, over the network."""
        return fetched(self.delivery, self.revision, room)

    def accept(self, tag: str | None = None) -> str:
        """Open it to those who may merge it, and return its commit."""
        patiently(lambda: self._turn("open"))
        return self.revision

    def discard(self) -> None:
        """Close it, unless it was opened before."""
        with contextlib.suppress(HubtlError):
            self._turn("closed")

    def _turn(self, status: str) -> None:
        api, model = self.delivery.hub.api, self.delivery.model
        with self.delivery.hub.told(model, forbidden=TOKEN):
            if api.get_discussion_details(model, self.number).status == "draft":
                api.change_discussion_status(model, self.number, status)  # type: ignore[arg-type]


TOLD = "From `hubtl publish --pr`, which opens it once it came back and said what was measured."


def offered(delivery: Delivery, user: str) -> HubOffer:
    """Return a pull request that is on the hub, in draft."""
    offer = patiently(HubOffer(delivery, user).opened)
    try:
        return patiently(offer.sent)
    except BaseException:
        offer.discard()
        raise
