"""The application: a request comes in by its raw path, is read within limits, and is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from .access import NOBODY, Caller, identify
from .accounts import RESERVED as OWN_WORDS
from .answers import as_response, failure, problem_response
from .bodies import Body
from .fetching import Fetching
from .guard import Guard
from .hub import TeamHub
from .pages.rendering import failure_page
from .problem import Problem, log_in, no_repository
from .repos import RESERVED
from .routes import ALL
from .routing import Call, Route
from .sessions import session_caller
from .signing import SIGNED

# What may be asked without a token on a hub that shows nothing to strangers: addresses that are
# signed, and what tells nothing.
PAGES_OPEN = ("/login", "/logout", "/static/")
OPEN = ("/healthz", "/api/telemetry", "/api/agent-harnesses", *PAGES_OPEN, *SIGNED)


class Kind(Convertor[str]):
    """The plural in an address, as the word the database has."""

    regex = "models|datasets|spaces|kernels"

    def convert(self, value: str) -> str:
        """Return `model` for `models`."""
        return value.removesuffix("s")

    def to_string(self, value: str) -> str:
        """Return `models` for `model`."""
        return f"{value}s"


class OfAccount(StringConvertor):
    """The first part of an address that may be an account: none of the hub's own words."""

    regex = rf"(?!(?i:{'|'.join(sorted(OWN_WORDS))})(?:/|$))[^/]+"


register_url_convertor("kind", Kind())
register_url_convertor("account", OfAccount())


def application(hub: TeamHub) -> ASGIApp:
    """Return the ASGI application of a hub."""
    fetching = Fetching(hub, hub.upstream) if hub.upstream else None
    guard = Guard(hub, fetching)
    routes = [
        StarletteRoute(route.path, _endpoint(hub, guard, fetching, route), methods=[route.method])
        for route in ALL
    ]
    built = Starlette(routes=routes, lifespan=guard.lifespan)
    built.add_exception_handler(404, _limited(guard, _not_here))
    built.add_exception_handler(405, _limited(guard, _not_so))
    return RawPath(guard.around(built))


class RawPath:
    """Route by the path as it was sent: `refs%2Fpr%2F1` is one part of it, not three."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            raw = scope.get("raw_path") or scope["path"].encode()
            scope = {**scope, "path": raw.partition(b"?")[0].decode("ascii", "replace")}
        await self.inner(scope, receive, send)


def _endpoint(
    hub: TeamHub, guard: Guard, fetching: Fetching | None, route: Route
) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            caller = await run_in_threadpool(_identified, hub, route, request)
            request.scope["caller"] = caller
            guard.admit(caller, request)
            open_to_all = hub.policy.anonymous or route.path.startswith(OPEN)
            if not caller.known and (route.private or not open_to_all):
                raise log_in()
            call = _call(hub, request, caller)
            if fetching and route.about:
                await fetching.ready(call, *route.about(call))
            async with Body(hub, route, request, call):
                return await run_in_threadpool(_answered, route, call)
        except Exception as error:
            counted = guard.counted(error, request)
            if route.look == "page":
                return await run_in_threadpool(failure_page, counted, request)
            return failure(counted, request)

    return answer


def _answered(route: Route, call: Call) -> Response:
    """Return the response to a call; a large one takes its time, so not on the event loop."""
    return as_response(route.handler(call))


def _call(hub: TeamHub, request: Request, caller: Caller) -> Call:
    return Call(
        hub=hub,
        caller=caller,
        method=request.method,
        path=request.scope["path"],
        params=_unquoted(request.path_params),
        query=request.query_params,
        headers=request.headers,
        base=f"{request.url.scheme}://{request.url.netloc}",
    )


def _identified(hub: TeamHub, route: Route, request: Request) -> Caller:
    """Return who sent a request: by a token, or where there is something to see, by a session."""
    signed = request.scope["path"].startswith(SIGNED)
    header = None if signed else request.headers.get("authorization")
    with hub.database.reading() as db:
        if route.look != "none" and not header:
            return session_caller(db, hub, request.cookies)
        return identify(db, hub.secret, header)


def _unquoted(params: Mapping[str, Any]) -> dict[str, str]:
    try:
        return {name: unquote(str(value), errors="strict") for name, value in params.items()}
    except UnicodeDecodeError as error:
        raise Problem(400, "the address is not in UTF-8") from error


def _limited(guard: Guard, answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return an answer to what is no address here, which is not to be had at will either."""

    async def limited(request: Request, error: Exception) -> Response:
        try:
            guard.admit(NOBODY, request)
        except Problem as problem:
            return problem_response(problem)
        found: Response = await answer(request, error)
        return found

    return limited


async def _not_here(request: Request, _: Exception) -> Response:
    if "text/html" in request.headers.get("accept", ""):  # a person, who wants words
        problem = Problem(404, "This hub has no such page")
        return await run_in_threadpool(failure_page, problem, request)
    return problem_response(_of_one_word(request) or Problem(404, "This hub has no such page"))


async def _not_so(request: Request, error: Exception) -> Response:
    allowed = error.headers if isinstance(error, HTTPException) else None
    told = f"{request.method} is not for this address"
    return problem_response(_of_one_word(request) or Problem(405, told, headers=allowed))


def _of_one_word(request: Request) -> Problem | None:
    """Return the refusal where a repository is asked for as `gpt2`: here none is so called."""
    parts = request.scope["path"].split("/")
    asked = parts[1:2] == ["api"] and len(parts) >= 4 and parts[2] in Kind.regex.split("|")
    asked = asked and (len(parts) == 4 or parts[4] in RESERVED)
    if asked or "resolve" in parts[2:3]:
        return no_repository(bool(request.headers.get("authorization")))
    return None
