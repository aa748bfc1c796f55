"""Collections: listed, made, changed, and what is in them."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select

from ..access import may_see, role_in, the_namespace
from ..accounts import Account, find
from ..ages import moment
from ..describing import Description
from ..problem import Problem, not_allowed
from ..repos import COLUMNS, JOINED, Repo
from ..routing import Answer, Call, Routes
from ..schema import repos
from ..shelves import (
    REPOS,
    THEMES,
    Item,
    Shelf,
    add_item,
    add_shelf,
    change_item,
    change_shelf,
    count_items,
    find_shelf,
    items_of,
    may_see_shelf,
    reference,
    remove_item,
    remove_shelf,
    shelf_by_key,
    shelves_for,
    the_item,
)

routes = Routes()
ALL = "/api/collections"
ONE = f"{ALL}/{{owner}}/{{slug}}"
PAGE = 100
SHOWN = 4  # items of each in a list
FIELDS = ("author", "lastModified", "likes", "downloads", "gated", "private", "pipeline_tag")
KINDS = (*REPOS, "paper", "collection")


@routes.get(ALL, query=("owner", "item", "sort", "limit", "cursor"))
def listing(call: Call) -> Answer:
    """Return a page of collections, last changed first, with their first items."""
    if call.query.get("sort") not in (None, "", "lastModified", "trending", "upvotes"):
        raise Problem(400, '"sort" must be one of lastModified, trending, upvotes')
    limit, start = call.number("limit", PAGE, 1, PAGE), call.number("cursor", 0, 0, 1 << 30)
    owners, wanted = call.query.getlist("owner")[:PAGE], call.query.getlist("item")[:PAGE]
    with call.hub.database.reading() as db:
        items = [_filter(db, call, each) for each in wanted] if wanted else None
        known = [each for each in items if each] if items is not None else None
        found = shelves_for(db, call.caller, owners, known, start, limit + 1)
        said = [_shelf_json(db, call, shelf, SHOWN) for shelf in found[:limit]]
    for each in said:
        del each["position"]  # the client numbers a list's entries itself
    more = call.next_page(cursor=str(start + limit)) if len(found) > limit else {}
    return Answer(said, headers=more)


def _filter(db: Connection, call: Call, text: str) -> tuple[str, str] | None:
    """Return the item that `models/acme/moods` stands for, or None where it isn't there."""
    plural, _, name = text.partition("/")
    kind = plural.removesuffix("s")
    if kind not in KINDS or plural == kind:
        raise Problem(400, '"item" must be as in models/OWNER/NAME or papers/ID')
    item = reference(db, call.caller, kind, name)
    return (kind, item) if item else None


@routes.post(ALL)
def create(call: Call) -> dict[str, Any]:
    """Make a collection."""
    title, private = _title(call), call.flag("private")
    description, namespace = _description(call), call.optional_text("namespace", 200)
    with call.hub.database.writing() as db:
        owner = the_namespace(db, call.caller, namespace)
        shelf = add_shelf(db, owner, title, description, private)
        item = call.body.get("item")
        if item is not None:
            _add(db, call, shelf, item)
        return _shelf_json(db, call, shelf)


@routes.get(ONE)
def details(call: Call) -> dict[str, Any]:
    """Return a collection with all its items that the caller may see."""
    with call.hub.database.reading() as db:
        return _shelf_json(db, call, _visible(db, call))


@routes.patch(ONE)
def change(call: Call) -> dict[str, Any]:
    """Change what a collection says of itself; what is left out stays."""
    values: dict[str, Any] = {}
    if "title" in call.body:
        values["title"] = _title(call)
    if "description" in call.body:
        values["description"] = _description(call)
    if "private" in call.body:
        values["private"] = call.flag("private")
    if "theme" in call.body:
        values["theme"] = call.text("theme")
        if values["theme"] not in THEMES:
            raise Problem(400, f'"theme" must be one of {", ".join(THEMES)}')
    with call.hub.database.writing() as db:
        shelf = change_shelf(db, _own(db, call), values, _position(call))
        return {"success": True, "data": _shelf_json(db, call, shelf)}


@routes.delete(ONE)
def remove(call: Call) -> dict[str, Any]:
    """Remove a collection."""
    with call.hub.database.writing() as db:
        remove_shelf(db, _own(db, call))
    return {"success": True}


@routes.post(f"{ONE}/items")
def add(call: Call) -> dict[str, Any]:
    """Put an item at a collection's end."""
    with call.hub.database.writing() as db:
        shelf = _own(db, call)
        _add(db, call, shelf, call.body.get("item"))
        return _shelf_json(db, call, _own(db, call))


@routes.patch(f"{ONE}/items/{{key}}")
def change_one(call: Call) -> dict[str, Any]:
    """Give an item another note or another position."""
    note, position = _note(call), _position(call)
    with call.hub.database.writing() as db:
        shelf = _own(db, call)
        change_item(db, shelf, the_item(db, shelf, call.params["key"]), note, position)
    return {"success": True}


@routes.delete(f"{ONE}/items/{{key}}")
def remove_one(call: Call) -> dict[str, Any]:
    """Take an item out of a collection."""
    with call.hub.database.writing() as db:
        shelf = _own(db, call)
        remove_item(db, shelf, the_item(db, shelf, call.params["key"]))
    return {"success": True}


def _visible(db: Connection, call: Call) -> Shelf:
    shelf = find_shelf(db, call.params["owner"], call.params["slug"])
    if shelf is None or not may_see_shelf(db, call.caller, shelf):
        raise Problem(404, "Collection not found")
    return shelf


def _own(db: Connection, call: Call) -> Shelf:
    shelf = _visible(db, call)
    role = role_in(db, call.caller, shelf.owner_id)
    if role in (None, "read") or not call.caller.may("write", shelf.owner):
        raise not_allowed(f"change {shelf.slug}")
    return shelf


def _add(db: Connection, call: Call, shelf: Shelf, asked: Any) -> None:
    kind, name = (asked.get("type"), asked.get("id")) if isinstance(asked, dict) else (None, None)
    if kind not in KINDS:
        raise Problem(400, f'"item" must have a type among {", ".join(KINDS)}')
    if not isinstance(name, str) or len(name) > 500 or not name.isascii():
        raise Problem(400, '"item" must have an id')
    item = reference(db, call.caller, kind, name.removeprefix(f"{kind}s/"))
    if item is None:
        raise Problem(404, f"There is no {kind} {name[:200]!r} on this hub")
    if item == shelf.key:
        raise Problem(400, "A collection can't be in itself")
    add_item(db, shelf, kind, item, _note(call))


def _title(call: Call) -> str:
    title = call.text("title").strip()
    if not 0 < len(title) <= 200:
        raise Problem(400, "A title has 1 to 200 characters")
    return title


def _description(call: Call) -> str | None:
    return call.optional_text("description", 150)


def _note(call: Call) -> str | None:
    return call.optional_text("note", 500)


def _position(call: Call) -> int | None:
    found = call.body.get("position")
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 1 << 31:
        raise Problem(400, '"position" must be a whole number from 0 on')
    return found


def _shelf_json(
    db: Connection, call: Call, shelf: Shelf, most: int | None = None
) -> dict[str, Any]:
    owner: Account | None = find(db, shelf.owner)
    assert owner is not None, "a collection goes with its owner"
    items = (_item_json(db, call, item) for item in items_of(db, shelf))
    shown = list(islice(filter(None, items), most))
    return {
        "slug": shelf.slug,
        "title": shelf.title,
        "description": shelf.description,
        "owner": _owner_json(owner),
        "theme": shelf.theme,
        "private": shelf.private,
        "gating": False,
        "position": shelf.position,
        "lastUpdated": moment(shelf.modified),
        "upvotes": 0,
        "isUpvotedByUser": False,
        "shareUrl": call.url(f"collections/{shelf.slug}"),
        "items": shown,
    }


def _owner_json(account: Account) -> dict[str, Any]:
    """Return what the Hub shows of an owner."""
    return {
        "name": account.name,
        "fullname": account.fullname,
        "type": account.kind,
        "avatarUrl": "",
        "isHf": False,
        "isPro": False,
    }


def _item_json(db: Connection, call: Call, item: Item) -> dict[str, Any] | None:
    """Return what an item says; None where it is gone, or not there for the caller."""
    if item.kind in REPOS:
        said = _repo_json(db, call, int(item.item))
    elif item.kind == "collection":
        said = _nested_json(db, call, item.item)
    else:
        said = {"id": item.item, "title": f"arXiv:{item.item}", "upvotes": 0}
    if said is None:
        return None
    note = {"note": {"text": item.note, "html": escape(item.note)}} if item.note else {}
    return {**said, "_id": item.key, "type": item.kind, "position": item.position, **note}


def _repo_json(db: Connection, call: Call, number: int) -> dict[str, Any] | None:
    chosen = select(*COLUMNS).select_from(JOINED).where(repos.c.id == number)
    row = db.execute(chosen).mappings().first()
    repo = Repo(**row) if row else None
    if repo is None or not may_see(db, call.caller, repo):
        return None
    said = Description(db, call.hub, call.caller, repo, None, repo.facts).say(FIELDS)
    return {**said, "repoType": repo.kind}


def _nested_json(db: Connection, call: Call, key: str) -> dict[str, Any] | None:
    shelf = shelf_by_key(db, key)
    if shelf is None or not may_see_shelf(db, call.caller, shelf):
        return None
    return {
        "id": shelf.key,
        "slug": shelf.slug,
        "title": shelf.title,
        "description": shelf.description,
        "lastUpdated": moment(shelf.modified),
        "theme": shelf.theme,
        "numberItems": count_items(db, call.caller, shelf),
        "upvotes": 0,
        "shareUrl": call.url(f"collections/{shelf.slug}"),
    }
