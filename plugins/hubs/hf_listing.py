"""A hub's listing, page by page: what the index takes of each model, without a request a model.

Pages are sequential: each names the one after it. To have several at once, a whole listing is first
looked through with as little of each model as there is, which gives the places where parts start.
Together they are the listing itself, so models without a task, say, are in one of them too. A
part's address ends with `#DOWNLOADS/ID`, the last of its models; that is not sent.
"""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ...registry.errors import Refused, Unreachable
from ...registry.index.bringing import Page
from .hf_line import line
from .hf_patience import BUSY, LONGEST, gate, wait_asked_by

PAGE = 1000
PART = 10  # pages
OVERLAP = datetime.timedelta(hours=1)  # for which a hub may not yet list a change
EXPANDED = (
    *("cardData", "downloads", "gated", "lastModified", "pipeline_tag", "safetensors", "sha"),
    "tags",
)
NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="?next"?')
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
SOON = 2.0  # how long to wait for a hub that never answered: it may have another address

Model = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lister:
    """What asks the hub at `endpoint` for its lists; `hub` is what its models say they are of."""

    endpoint: str
    token: bool | None
    hub: str

    def pages(
        self, *, organisation: str | None, least: int, start: str, etag: str = ""
    ) -> Iterator[Page]:
        """Give the pages of a listing, most downloads first, from the page at `start` on.

        It ends where models have fewer than `least` downloads, and has no page where all is as the
        hub called it by `etag`. Raises Unreachable where the hub stays busy or away, and Refused
        where a page points to another server.
        """
        first = start or self._address("downloads", author=organisation)
        return self._walk(first, lambda model: _downloads(model) >= least, etag=etag)

    def changes(self, *, since: str, least: int, start: str) -> Iterator[Page]:
        """Give pages of the models that changed after a date, or an hour before it, last first.

        Raises what `pages` raises.
        """
        from_ = (datetime.datetime.fromisoformat(since) - OVERLAP).isoformat()[:19]
        return self._walk(
            start or self._address("lastModified"),
            lambda model: str(model.get("lastModified"))[:19] >= from_,
            lambda model: _downloads(model) >= least,
        )

    def newest(self) -> str:
        """Return when the hub's last changed model was changed, empty where there is none.

        Raises Unreachable.
        """
        address = self._address("lastModified", limit=1, expand=("lastModified",))
        models, _ = self._models(address)
        return str(models[0].get("lastModified") or "") if models else ""

    def parts(self, *, least: int, told: Callable[[int], None]) -> tuple[tuple[str, ...], int]:
        """Return the pages that parts of the hub's whole listing start at, and how many models.

        `told` is called with how many were looked through. Raises what `pages` raises.
        """
        starts, total = [self._address("downloads")], 0
        address = self._address("downloads", expand=("downloads",))
        for number in range(1, 10**6):
            models, headers = self._models(address)
            total += sum(_downloads(model) >= least for model in models)
            told(total)
            address = _next(headers)
            if not address or not models or _downloads(models[-1]) < least:
                break
            cursor = parse_qs(urlsplit(address).query).get("cursor", [""])[0]
            if number % PART == 0 and cursor:
                last = f"{_downloads(models[-1])}/{models[-1].get('id')}"
                starts[-1] = f"{starts[-1]}#{last}"
                starts.append(self._address("downloads", cursor=cursor))
        return (tuple(starts) if self._goes_on_from(starts) else ("",)), total

    def _goes_on_from(self, starts: list[str]) -> bool:
        """Return whether the second part starts where the first ends, as the hub takes it.

        A hub may hold that a place in one list is none in a list with more of each model.
        """
        if len(starts) == 1:
            return True
        try:
            models, _ = self._models(starts[1].partition("#")[0])
        except Unreachable:
            return False
        lowest = int(starts[0].rpartition("#")[2].partition("/")[0])
        return bool(models) and _downloads(models[0]) <= lowest

    def _address(self, sort: str, **more: Any) -> str:
        asked = {"sort": sort, "limit": PAGE, "expand": EXPANDED, **more}
        given = {name: value for name, value in asked.items() if value is not None}
        return f"{self.endpoint}/api/models?{urlencode(given, doseq=True)}"

    def _walk(
        self,
        start: str,
        within: Callable[[Model], bool],
        wanted: Callable[[Model], bool] = bool,
        etag: str = "",
    ) -> Iterator[Page]:
        """Give pages until one ends with a model that is not within, or that is the part's last."""
        address, mark, end = start.partition("#")
        alone = "cursor=" not in address
        while address:
            models, headers = self._models(address, etag)
            if models is UNCHANGED:
                return
            etag, (taken, ended) = "", _until(end, models)
            goes_on = bool(models) and not ended and within(models[-1])
            address = _next(headers) if goes_on else ""
            lines = [line(each, self.hub) for each in taken if within(each) and wanted(each)]
            name = headers.get("etag", "") if alone and not address else ""
            alone = False
            yield Page(
                tuple(each for each in lines if each), address and address + mark + end, name
            )

    def _models(self, address: str, etag: str = "") -> tuple[list[Model], Mapping[str, str]]:
        """Return a page's models and headers, asked again while the hub is busy or away.

        The models are UNCHANGED where the page still is what the hub called it.
        """
        from huggingface_hub.utils._headers import build_hf_headers
        from huggingface_hub.utils._http import get_session

        server = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        if urlsplit(address)[:2] != urlsplit(self.endpoint)[:2]:
            raise Refused(f"{self.endpoint} points to a page on another server", "tell who runs it")
        headers = build_hf_headers(token=self.token, library_name="hubtl")
        headers |= {"If-None-Match": etag} if etag else {}
        way, why = gate(server), ""
        for wait in (*WAITS, 0.0):
            if why and not way.answered and wait > SOON:
                raise Unreachable(
                    f"{server} does not answer: {why}", "is the address right? `hubtl doctor`"
                )
            try:
                with way.passed():
                    answer = get_session().get(address, headers=headers, timeout=60)
                    way.heed(answer.headers)
            except OSError as error:
                why, asked = str(error), 0.0
            except Exception as error:
                if not type(error).__module__.startswith("http"):
                    raise
                why, asked = type(error).__name__, 0.0
            else:
                if answer.status_code == 304:
                    return UNCHANGED, answer.headers
                if answer.status_code == 200:
                    return _listed(answer.content), answer.headers
                why = f"it answers {answer.status_code}"
                asked = float(wait_asked_by(answer.headers))
                if answer.status_code not in BUSY or asked > LONGEST:
                    break
                way.close(asked)
            time.sleep(max(wait, asked) if wait else 0)
        raise Unreachable(
            f"{server} can't be listed: {why}", "say it again: it goes on where it was"
        )


UNCHANGED: list[Model] = []


def _next(headers: Mapping[str, str]) -> str:
    found = NEXT.search(headers.get("link", ""))
    return found[1] if found else ""


def _until(end: str, models: list[Model]) -> tuple[list[Model], bool]:
    """Return the models up to the last one of a part, and whether it has come.

    It may have other downloads by now: then the part ends before those with fewer than it had.
    """
    lowest, _, last = end.partition("/")
    for at, model in enumerate(models if end else ()):
        if model.get("id") == last:
            return models[: at + 1], True
        if _downloads(model) < int(lowest):
            return models[:at], True
    return models, False


def _listed(content: bytes) -> list[Model]:
    """Return the models of a page; raises Unreachable where it is none."""
    try:
        told = json.loads(content)
    except ValueError as error:
        raise Unreachable("the hub answers with no list of models", "see its address") from error
    return [model for model in told if isinstance(model, dict)] if isinstance(told, list) else []


def _downloads(model: Model) -> int:
    told = model.get("downloads")
    return told if isinstance(told, int) else 0
