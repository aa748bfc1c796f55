"""A request as a route sees it, what it may answer, and the list of routes a file declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.datastructures import Headers, QueryParams

from .access import Caller, Deed, the_repo
from .contents import Received
from .hub import TeamHub
from .problem import Problem, log_in
from .repos import Repo

Takes = Literal["nothing", "json", "form", "file"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back where a plain JSON value would not do."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """One request: who sent it, what its address says, and what came with it."""

    hub: TeamHub
    caller: Caller
    method: str
    path: str
    params: Mapping[str, str]
    query: QueryParams
    headers: Headers
    base: str  # the hub's address as this client knows it
    body: Any = None
    received: Received | None = None

    @property
    def user_id(self) -> int:
        """The caller's number; raises Problem 401 where nobody is known."""
        if self.caller.id is None:
            raise log_in()
        return self.caller.id

    @property
    def revision(self) -> str:
        """The revision in the address, main where there is none."""
        return self.params.get("revision", "main")

    @property
    def revision_and_path(self) -> tuple[str, str]:
        """The revision and the file in the address; `refs/pr/1` may stand there unquoted."""
        revision, path = self.revision, self.params["path"]
        if revision == "refs":
            kind, _, rest = path.partition("/")
            name, _, path = rest.partition("/")
            revision = f"refs/{kind}/{name}"
        return revision, path

    def repo(self, db: Connection, deed: Deed = "read") -> Repo:
        """Return the repository in the address; raises Problem or Moved."""
        return the_repo(
            db,
            self.caller,
            self.params.get("kind", "model"),
            self.params["owner"],
            self.params["name"].removesuffix(".git"),
            deed,
        )

    def url(self, path: str) -> str:
        """Return a whole address on this hub."""
        return f"{self.base}/{quote(path, safe='/:@')}"

    def next_page(self, **changes: str) -> dict[str, str]:
        """Return the header that leads to the next page, by a whole address, as clients need it."""
        kept = [(key, value) for key, value in self.query.multi_items() if key not in changes]
        query = "&".join(f"{quote(key)}={quote(value)}" for key, value in [*kept, *changes.items()])
        return {"Link": f'<{self.base}{self.path}?{query}>; rel="next"'}

    def text(self, name: str, default: str | None = None, largest: int = 64_000) -> str:
        """Return a text of the JSON body; raises Problem where it is missing or something else."""
        found = self.body.get(name, default)
        if not isinstance(found, str) or len(found) > largest or "\0" in found:
            raise Problem(400, f'"{name}" must be a string of at most {largest} characters')
        if any(0xD800 <= ord(letter) < 0xE000 for letter in found):
            raise Problem(400, f'"{name}" is no text that can be written down')
        return found

    def optional_text(self, name: str, largest: int = 64_000) -> str | None:
        """Return a text of the JSON body, or None where it was left out."""
        return None if self.body.get(name) is None else self.text(name, largest=largest)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean of the JSON body."""
        found = self.body.get(name, default)
        if not isinstance(found, bool):
            raise Problem(400, f'"{name}" must be true or false')
        return found

    def texts(self, name: str, most: int = 1000) -> list[str]:
        """Return a list of texts of the JSON body, empty where it was left out."""
        found = self.body.get(name) or []
        fine = isinstance(found, list) and len(found) <= most
        if not fine or not all(isinstance(each, str) for each in found):
            raise Problem(400, f'"{name}" must be a list of at most {most} strings')
        return list(found)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number of the query, kept within bounds; raises Problem for no number."""
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isdecimal() or not text.isascii() or len(text) > 12:
            raise Problem(400, f'"{name}" must be a whole number')
        return min(max(int(text), least), most)


def of_revision(call: Call) -> tuple[str, None]:
    """Return that a request is about a revision, and no file of it."""
    return call.revision, None


Handler = Callable[[Call], Any]
# What a browser's session is good for: nothing, a file to fetch, or a page, which also says by a
# page what is wrong.
Look = Literal["none", "file", "page"]
# Called before a file is received: returns the most bytes it may have, or raises Problem.
Admission = Callable[[Call], int]
# What a request is about, to be fetched first where another hub has it: a revision, and the file
# of which the content is wanted.
About = Callable[[Call], tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern, what the request brings, and the function that answers it."""

    method: str
    path: str
    handler: Handler
    takes: Takes
    private: bool  # takes a token, whatever the hub's policy
    query: tuple[str, ...]
    admission: Admission | None
    about: About | None
    look: Look


class Routes:
    """The routes of one file, in the order they are tried."""

    def __init__(self) -> None:
        self.listed: list[Route] = []

    def add(
        self,
        method: str,
        *paths: str,
        takes: Takes | None = None,
        private: bool | None = None,
        query: tuple[str, ...] = (),
        admission: Admission | None = None,
        about: About | None = None,
        look: Look = "none",
    ) -> Callable[[Handler], Handler]:
        """Declare that a function answers these paths; all but GET bring JSON and need a token.

        With an `admission`, the request brings a file, of which not a byte is taken before that.
        What it is `about` may be another hub's.
        """

        def declare(handler: Handler) -> Handler:
            brings = takes or ("json" if method in ("POST", "PUT", "PATCH") else "nothing")
            brings = "file" if admission else brings
            secret = private if private is not None else method != "GET"
            self.listed += [
                Route(method, path, handler, brings, secret, query, admission, about, look)
                for path in paths
            ]
            return handler

        return declare

    def get(self, *paths: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare what answers GET, and HEAD with it."""
        return self.add("GET", *paths, **more)

    def post(self, *paths: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare what answers POST."""
        return self.add("POST", *paths, **more)

    def put(self, *paths: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare what answers PUT."""
        return self.add("PUT", *paths, **more)

    def patch(self, *paths: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare what answers PATCH."""
        return self.add("PATCH", *paths, **more)

    def delete(self, *paths: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare what answers DELETE."""
        return self.add("DELETE", *paths, **more)
