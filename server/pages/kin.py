"""What a model was made from and what was made from it, as far as one may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ..access import Caller, may_see
from ..finding import seen_by
from ..repos import COLUMNS, JOINED, Repo, find_repo
from ..schema import repo_bases, repos
from .measured import Measured, by_card

DEEPEST, MOST_PARENTS, MOST_CHILDREN = 10, 5, 20


@dataclass(frozen=True, slots=True)
class Kin:
    """A model in the tree, where it is on this hub, and how it was made from the one above."""

    id: str
    here: bool
    relation: str = ""
    measured: Measured | None = None
    downloads: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """Lines of descent: ancestors from the oldest on, and the children that are most used."""

    ancestors: tuple[Kin, ...]
    children: tuple[Kin, ...]
    number: int

    def __bool__(self) -> bool:
        return bool(self.ancestors or self.children)


def tree_of(db: Connection, caller: Caller, repo: Repo) -> Tree:
    """Return where a model stands among others."""
    named = repo_bases.c.base == repo.id_.casefold()
    made = JOINED.join(repo_bases, repo_bases.c.repo_id == repos.c.id)
    fits = (named, seen_by(caller), repos.c.kind == repo.kind, repos.c.id != repo.id)
    number = db.execute(select(func.count()).select_from(made).where(*fits)).scalar_one()
    chosen = select(*COLUMNS).select_from(made).where(*fits)
    ordered = chosen.order_by(repos.c.downloads.desc(), repos.c.id.desc()).limit(MOST_CHILDREN)
    children = tuple(_kin(Repo(**row)) for row in db.execute(ordered).mappings())
    return Tree(tuple(_ancestors(db, caller, repo)), children, number)


def _kin(repo: Repo) -> Kin:
    measured = by_card((repo.facts.get("card") or {}).get("model-index"))
    return Kin(repo.id_, True, repo.facts.get("relation") or "", measured, repo.downloads)


def _ancestors(db: Connection, caller: Caller, repo: Repo) -> Sequence[Kin]:
    """Return what a model was made from, and that in turn, the oldest first.

    Of several parents the one counts that was itself made from another of them.
    """
    found: list[Kin] = []
    known, here = {repo.id_.casefold()}, repo
    while len(found) < DEEPEST:
        parents = [base for base in here.facts.get("bases") or () if base.casefold() not in known]
        seen = {name: _seen(db, caller, name) for name in parents[:MOST_PARENTS]}
        if not seen:
            break
        name = next((name for name, there in seen.items() if _made_from(there, seen)), parents[0])
        known |= {name.casefold()}
        there = seen[name]
        if there is None:
            found.append(Kin(name, False))
            break
        known |= {there.id_.casefold()}
        found.append(_kin(there))
        here = there
    return found[::-1]


def _made_from(repo: Repo | None, others: dict[str, Repo | None]) -> bool:
    bases = (repo.facts.get("bases") or ()) if repo else ()
    return bool({base.casefold() for base in bases} & {name.casefold() for name in others})


def _seen(db: Connection, caller: Caller, name: str) -> Repo | None:
    owner, _, short = name.partition("/")
    repo, _ = find_repo(db, "model", owner, short)
    return repo if repo and may_see(db, caller, repo) else None
