"""A repository in a list: one line of what it is, and its result if it tells one."""

from __future__ import annotations

from dataclasses import dataclass

from ...registry.domains import stated
from ..facts import as_texts
from ..repos import Repo
from .measured import Measured, by_card


@dataclass(frozen=True, slots=True)
class Line:
    """What a list shows of a repository."""

    repo: Repo
    task: str
    domains: tuple[str, ...]
    library: str
    licences: tuple[str, ...]
    parameters: int | None
    base: str
    about: str
    measured: Measured | None


def line_of(repo: Repo) -> Line:
    """Return what a list shows of a repository."""
    facts = repo.facts
    card = facts.get("card") or {}
    about = card.get("description") or card.get("pretty_name") or ""
    return Line(
        repo=repo,
        task=facts.get("task") or "",
        domains=stated(facts.get("tags") or ()),
        library=(facts.get("library") or "") if repo.kind == "model" else "",
        licences=tuple(as_texts(card.get("license"))[:3]),
        parameters=(facts.get("safetensors") or {}).get("total"),
        base=next(iter(facts.get("bases") or ()), ""),
        about=about[:200] if isinstance(about, str) else "",
        measured=by_card(card.get("model-index")),
    )
