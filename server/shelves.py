"""Collections: repositories, papers and other collections, together in an order of their own."""

from __future__ import annotations

import re
import secrets
import time
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, update

from .access import Caller, may_see, role_in
from .accounts import Account, organisations_of
from .finding import seen_by
from .problem import Problem
from .repos import JOINED as REPOS_JOINED
from .repos import Repo, find_repo
from .schema import accounts, collection_items, collections, repos

THEMES = ("orange", "blue", "green", "purple", "pink", "indigo")
REPOS = ("model", "dataset", "space")
KEY = re.compile(r"[0-9a-f]{24}")
PAPER = re.compile(r"\d{4}\.\d{4,5}(v\d+)?", re.ASCII)
MOST_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection; `position` is among its owner's, `modified` in seconds since 1970."""

    id: int
    key: str
    owner_id: int
    owner: str
    title: str
    description: str | None
    theme: str
    private: bool
    position: int
    modified: float

    @property
    def slug(self) -> str:
        """Its name in addresses: it changes with the title, but for the key at its end."""
        return f"{self.owner}/{'-'.join(filter(None, (slugged(self.title), self.key)))}"


@dataclass(frozen=True, slots=True)
class Item:
    """What is in a collection: `item` is a repository's number, a collection's key or a paper."""

    id: int
    key: str
    kind: str
    item: str
    note: str | None
    position: int


JOINED = collections.join(accounts, accounts.c.id == collections.c.owner_id)
SHELF = tuple(
    accounts.c.name.label("owner") if name == "owner" else collections.c[name]
    for name in Shelf.__dataclass_fields__
)
ITEM = tuple(collection_items.c[name] for name in Item.__dataclass_fields__)


def slugged(title: str) -> str:
    """Return a title as it stands in an address: ASCII letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().casefold()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def find_shelf(db: Connection, owner: str, slug: str) -> Shelf | None:
    """Return the collection of a slug, be it by a former title, or None."""
    key = slug.rpartition("-")[2]
    found = _shelves(db, collections.c.key == key) if KEY.fullmatch(key) else []
    return next((each for each in found if each.owner.casefold() == owner.casefold()), None)


def shelf_by_key(db: Connection, key: str) -> Shelf | None:
    """Return a collection by its key, or None."""
    return next(iter(_shelves(db, collections.c.key == key)), None)


def _shelves(db: Connection, *wanted: ColumnElement[bool]) -> list[Shelf]:
    chosen = select(*SHELF).select_from(JOINED).where(*wanted)
    ordered = chosen.order_by(collections.c.position, collections.c.id)
    return [Shelf(**row) for row in db.execute(ordered).mappings()]


def may_see_shelf(db: Connection, caller: Caller, shelf: Shelf) -> bool:
    """Return whether a collection is there for the caller."""
    own = role_in(db, caller, shelf.owner_id) is not None and caller.may("read", shelf.owner)
    return own or not shelf.private


def add_shelf(
    db: Connection, owner: Account, title: str, description: str | None, private: bool
) -> Shelf:
    """Return a new collection; raises Problem 409 where its owner has one of that title."""
    mine = _shelves(db, collections.c.owner_id == owner.id)
    for each in mine:
        if each.title.casefold() == title.casefold():
            raise Problem(409, f"You already created this collection: {each.slug}", slug=each.slug)
    row = {
        "key": secrets.token_hex(12),
        "owner_id": owner.id,
        "title": title,
        "description": description,
        "theme": THEMES[0],
        "private": private,
        "position": len(mine),
        "modified": time.time(),
    }
    db.execute(collections.insert(), row)
    return _shelves(db, collections.c.key == row["key"])[0]


def change_shelf(
    db: Connection, shelf: Shelf, values: Mapping[str, Any], position: int | None = None
) -> Shelf:
    """Return a collection with other values, at another position among its owner's."""
    if position is not None:
        mine = collections.c.owner_id == shelf.owner_id
        _place(db, collections, mine, shelf.id, position)
    changed = {**values, "modified": time.time()}
    db.execute(update(collections).where(collections.c.id == shelf.id).values(**changed))
    return _shelves(db, collections.c.id == shelf.id)[0]


def remove_shelf(db: Connection, shelf: Shelf) -> None:
    """Remove a collection; what was in it stays where it is."""
    db.execute(delete(collections).where(collections.c.id == shelf.id))
    _place(db, collections, collections.c.owner_id == shelf.owner_id)


def _place(
    db: Connection,
    table: Table,
    siblings: ColumnElement[bool],
    chosen: int | None = None,
    position: int = 0,
) -> None:
    """Give siblings their numbers from 0, the chosen one its new position."""
    ordered = select(table.c.id).where(siblings).order_by(table.c.position, table.c.id)
    ids = list(db.execute(ordered).scalars())
    if chosen is not None:
        ids.remove(chosen)
        ids.insert(position, chosen)
    for number, each in enumerate(ids):
        here = (table.c.id == each) & (table.c.position != number)
        db.execute(update(table).where(here).values(position=number))


def items_of(db: Connection, shelf: Shelf) -> list[Item]:
    """Return what is in a collection, in its order."""
    chosen = select(*ITEM).where(collection_items.c.collection_id == shelf.id)
    rows = db.execute(chosen.order_by(collection_items.c.position, collection_items.c.id))
    return [Item(**row) for row in rows.mappings()]


def count_items(db: Connection, caller: Caller, shelf: Shelf) -> int:
    """Return how many of a collection's items are there for the caller."""
    listed = items_of(db, shelf)
    numbers = [int(each.item) for each in listed if each.kind in REPOS]
    keys = [each.item for each in listed if each.kind == "collection"]
    counted = (
        select(func.count())
        .select_from(REPOS_JOINED)
        .where(repos.c.id.in_(numbers), seen_by(caller)),
        select(func.count())
        .select_from(JOINED)
        .where(collections.c.key.in_(keys), _visible(db, caller)),
    )
    papers = len(listed) - len(numbers) - len(keys)
    return papers + sum(db.execute(each).scalar_one() for each in counted)


def the_item(db: Connection, shelf: Shelf, key: str) -> Item:
    """Return an item by its key; raises Problem 404."""
    found = next((each for each in items_of(db, shelf) if each.key == key), None)
    if found is None:
        raise Problem(404, "There is no such item in this collection")
    return found


def reference(db: Connection, caller: Caller, kind: str, name: str) -> str | None:
    """Return what an item's `item` is for a name that clients use; None where it isn't there."""
    owner, _, rest = name.partition("/")
    if kind == "paper":
        return name if PAPER.fullmatch(name) else None
    if kind == "collection":
        shelf = find_shelf(db, owner, rest)
        return shelf.key if shelf and may_see_shelf(db, caller, shelf) else None
    repo: Repo | None = find_repo(db, kind, owner, rest)[0]
    return str(repo.id) if repo and may_see(db, caller, repo) else None


def add_item(db: Connection, shelf: Shelf, kind: str, item: str, note: str | None) -> None:
    """Put something at a collection's end; raises Problem 409 where it is in it."""
    there = items_of(db, shelf)
    if any((each.kind, each.item) == (kind, item) for each in there):
        raise Problem(409, "This item is in the collection already")
    if len(there) >= MOST_ITEMS:
        raise Problem(400, f"A collection has at most {MOST_ITEMS} items")
    row = {
        "collection_id": shelf.id,
        "key": secrets.token_hex(12),
        "kind": kind,
        "item": item,
        "note": note,
        "position": len(there),
    }
    db.execute(collection_items.insert(), row)
    change_shelf(db, shelf, {})


def change_item(
    db: Connection, shelf: Shelf, item: Item, note: str | None, position: int | None
) -> None:
    """Give an item another note or position; None leaves as it is."""
    if note is not None:
        here = collection_items.c.id == item.id
        db.execute(update(collection_items).where(here).values(note=note))
    if position is not None:
        siblings = collection_items.c.collection_id == shelf.id
        _place(db, collection_items, siblings, item.id, position)
    change_shelf(db, shelf, {})


def remove_item(db: Connection, shelf: Shelf, item: Item) -> None:
    """Take an item out of a collection."""
    db.execute(delete(collection_items).where(collection_items.c.id == item.id))
    _place(db, collection_items, collection_items.c.collection_id == shelf.id)
    change_shelf(db, shelf, {})


def shelves_for(
    db: Connection,
    caller: Caller,
    owners: Sequence[str],
    items: Iterable[tuple[str, str]] | None,
    start: int,
    limit: int,
) -> list[Shelf]:
    """Return a page of the collections that the caller may see, last changed first.

    `items` are kinds and references, any of which a collection must have; None for no such wish.
    """
    wanted = [_visible(db, caller)]
    if owners:
        wanted.append(accounts.c.folded.in_([each.casefold() for each in owners]))
    if items is not None:
        has = [
            (collection_items.c.kind == kind) & (collection_items.c.item == item)
            for kind, item in items
        ]
        inside = select(collection_items.c.collection_id).where(or_(*has)) if has else None
        wanted.append(collections.c.id.in_(inside if inside is not None else []))
    chosen = select(*SHELF).select_from(JOINED).where(*wanted)
    ordered = chosen.order_by(collections.c.modified.desc(), collections.c.id.desc())
    rows = db.execute(ordered.offset(start).limit(limit)).mappings()
    return [Shelf(**row) for row in rows]


def _visible(db: Connection, caller: Caller) -> ColumnElement[bool]:
    """Return the condition that a collection is there for the caller."""
    return or_(~collections.c.private, collections.c.owner_id.in_(_own(db, caller)))


def _own(db: Connection, caller: Caller) -> list[int]:
    """Return the accounts whose private collections are there for the caller."""
    if caller.id is None:
        return []
    mine = [(caller.id, caller.name)]
    mine += [(row["org_id"], row["name"]) for row in organisations_of(db, caller.id)]
    return [number for number, name in mine if caller.may("read", name)]
