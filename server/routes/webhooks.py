"""Webhooks: a user's own, set up and looked after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from ..hooks import (
    DOMAINS,
    KINDS,
    Hook,
    add_hook,
    change_hook,
    find_hook,
    hooks_of,
    remove_hook,
)
from ..outgoing import ForbiddenAddress, check_url
from ..problem import Problem, not_allowed
from ..routing import Call, Routes

routes = Routes()
ALL = "/api/settings/webhooks"
ONE = f"{ALL}/{{key}}"
MOST = 100  # of one user; watched by one webhook


@routes.get(ALL, private=True)
def listing(call: Call) -> list[dict[str, Any]]:
    """Return the caller's webhooks."""
    with call.hub.database.reading() as db:
        return [_hook_json(call, hook) for hook in hooks_of(db, call.user_id)]


@routes.get(ONE, private=True)
def details(call: Call) -> dict[str, Any]:
    """Return one of the caller's webhooks."""
    with call.hub.database.reading() as db:
        return _reply(call, _mine(db, call))


@routes.post(ALL)
def create(call: Call) -> dict[str, Any]:
    """Set up a webhook."""
    _check_right(call)
    values = {name: take(call) for name, take in TAKEN.items()}
    with call.hub.database.writing() as db:
        if len(hooks_of(db, call.user_id)) >= MOST:
            raise Problem(400, f"A user has at most {MOST} webhooks")
        return _kept(call, add_hook(db, call.user_id, call.base, values))


@routes.post(ONE)
def update(call: Call) -> dict[str, Any]:
    """Change a webhook; what is left out stays, and so does what it watches where that is empty."""
    _check_right(call)
    sent = {name for name in TAKEN if call.body.get(name) not in (None, [])}
    if call.body.get("jobSourceId"):
        sent.add("url")
    return _changed(call, {name: TAKEN[name](call) for name in sent})


@routes.post(f"{ONE}/enable")
def enable(call: Call) -> dict[str, Any]:
    """Let a webhook be called again."""
    _check_right(call)
    return _changed(call, {"disabled": False})


@routes.post(f"{ONE}/disable")
def disable(call: Call) -> dict[str, Any]:
    """Let a webhook be called no more."""
    _check_right(call)
    return _changed(call, {"disabled": True})


@routes.delete(ONE)
def remove(call: Call) -> dict[str, Any]:
    """Remove a webhook."""
    _check_right(call)
    with call.hub.database.writing() as db:
        remove_hook(db, _mine(db, call))
    return {}


def _changed(call: Call, values: dict[str, Any]) -> dict[str, Any]:
    with call.hub.database.writing() as db:
        return _kept(call, change_hook(db, _mine(db, call), values))


def _kept(call: Call, hook: Hook) -> dict[str, Any]:
    """Return a webhook as it is now; raises Problem where it tells more than the token may read."""
    for each in hook.watched:
        owner, _, name = each["name"].partition("/")
        if not call.caller.may("read", owner, name):
            raise not_allowed(f"watch {each['name']} with this token")
    return _reply(call, hook)


def _mine(db: Connection, call: Call) -> Hook:
    found = find_hook(db, call.user_id, call.params["key"])
    if found is None:
        raise Problem(404, "Webhook not found")
    return found


def _check_right(call: Call) -> None:
    if not call.caller.may("write", call.caller.name):
        raise not_allowed("set up webhooks with this token")


def _reply(call: Call, hook: Hook) -> dict[str, Any]:
    return {"webhook": _hook_json(call, hook)}


def _hook_json(call: Call, hook: Hook) -> dict[str, Any]:
    """Return a webhook; who could not have set its secret is not shown it."""
    trusted = call.caller.may("write", call.caller.name)
    return {
        "id": hook.key,
        "url": hook.url,
        "job": None,
        "watched": list(hook.watched),
        "domains": list(hook.domains),
        "secret": hook.secret if trusted else None,
        "disabled": hook.disabled,
    }


def _url(call: Call) -> str:
    if call.body.get("jobSourceId"):
        raise Problem(400, "This hub runs no jobs: give a url")
    url = call.text("url")
    try:
        check_url(url, call.hub.policy.webhook_hosts)
    except ForbiddenAddress as error:
        raise Problem(400, f'"url" can\'t be used: {error}') from error
    return url


def _secret(call: Call) -> str | None:
    secret = call.optional_text("secret", 500)
    if secret is not None and not (secret.isascii() and secret.isprintable()):
        raise Problem(400, '"secret" must have printable ASCII characters: it goes into a header')
    return secret.strip() or None if secret else None


def _watched(call: Call) -> list[dict[str, str]]:
    listed = call.body.get("watched")
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST:
        raise Problem(400, f'"watched" must be a list of 1 to {MOST} items')
    return [_watched_item(each) for each in listed]


def _watched_item(item: Any) -> dict[str, str]:
    kind, name = (item.get("type"), item.get("name")) if isinstance(item, dict) else (None, None)
    if kind not in KINDS:
        raise Problem(400, f'"watched" items must be of a type among {", ".join(KINDS)}')
    slashes = 0 if kind in ("user", "org") else 1
    if (
        not isinstance(name, str)
        or len(name) > 200
        or not (name.isascii() and name.isprintable())
        or name.count("/") != slashes
    ):
        raise Problem(400, '"watched" items must have the name of an owner or a repository')
    return {"type": kind, "name": name}


def _domains(call: Call) -> list[str]:
    domains = call.texts("domains") or list(DOMAINS)
    if not set(domains) <= set(DOMAINS):
        raise Problem(400, f'"domains" must be among {", ".join(DOMAINS)}')
    return list(dict.fromkeys(domains))


TAKEN: Mapping[str, Callable[[Call], Any]] = {
    "url": _url,
    "watched": _watched,
    "domains": _domains,
    "secret": _secret,
}
