"""The candidates among which the base of a job is yet to be chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .as_it_is import check_answers
from .candidates import LIMIT, Candidate, Candidates, find_candidates, none_judged
from .registry.entry import Query
from .registry.errors import UnknownName
from .sources import pulled
from .subject import Request, Subject


@dataclass(frozen=True, slots=True)
class Contenders:
    """Candidates, and what they are to learn.

    `domain` is the one asked for, where none is of it and so those of any were taken.
    """

    subject: Subject
    found: Candidates
    domain: str | None = None

    @property
    def largest_first(self) -> list[Candidate]:
        """The candidates, that which takes the most first, as far as that is known."""
        return sorted(self.found.all, key=lambda each: -(each.known.params or 0))

    @property
    def names(self) -> tuple[str, ...]:
        """What the candidates are told by."""
        return tuple(each.id for each in self.found.all)

    @property
    def download_bytes(self) -> int:
        """How much of them is yet to be fetched, as far as that is known."""
        known = [each.known for each in self.found.all]
        return sum(each.size_bytes or 0 for each in known if not pulled(each.id, each.revision))


def contenders(request: Request, subject: Subject) -> Contenders:
    """Return the candidates that `rank` would take for a request: of its hub, of its domain if any.

    Raises what `rank` does, but where there is one candidate: that needs no ranking.
    """
    asked = Query(task=request.task, domain=request.domain, limit=LIMIT)
    domain = None
    try:
        found = find_candidates((), asked, request.hub)
    except UnknownName:
        if not request.domain:
            raise
        found, domain = find_candidates((), replace(asked, domain=None), request.hub), asked.domain
    if not found.all:
        raise none_judged(found.failed, request.task)
    if len(found.all) > 1:
        check_answers(request, subject)
    return Contenders(subject, found, domain)
