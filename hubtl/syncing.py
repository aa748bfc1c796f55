"""Bring what hubs have into the index."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol, runtime_checkable

from .plugins.hubs.hf import HUGGING_FACE
from .registry.errors import BadOption, Refused
from .registry.index.bringing import DAY, Bringing, Page, Part
from .registry.index.following import follow
from .registry.index.listing import About, Kept, listings
from .registry.places import index as index_folder
from .registry.places import setting
from .results import Synced
from .sources import open_hub
from .transfer.progress import Progress, silent

LEAST = 10  # downloads in a month, below which most models of huggingface.co are
MANY = 8 << 20  # bytes of a listing, some ten thousand models, that is not brought whole each time
OLD = 7 * DAY  # seconds after which it is, since downloads drift and models vanish
ABREAST = 4  # parts at once
ONE = ("",), 0, ""  # part, of nobody knows how many models


@runtime_checkable
class Listed(Protocol):
    """A hub that tells what it has, page by page, the models with the most downloads first.

    `etag` is given to one whose pages had one, which gives no page where nothing has changed.
    """

    name: str

    def pages(self, *, organisation: str | None, least: int, start: str) -> Iterable[Page]:
        """Give the pages from the one at `start` on, of models with `least` downloads or more."""
        ...


@runtime_checkable
class Large(Listed, Protocol):
    """A hub that may have too many models for that, and tells changes, and where parts start."""

    def newest(self) -> str:
        """Return when the model that was changed last was changed, or an empty text."""
        ...

    def changes(self, *, since: str, least: int, start: str) -> Iterable[Page]:
        """Give pages with what has changed since then."""
        ...

    def parts(self, *, least: int, told: Callable[[int], None]) -> tuple[tuple[str, ...], int]:
        """Return where parts of the whole listing start, and how many models there are."""
        ...


def sync_index(
    hub: str | None = None,
    organisation: str | None = None,
    least: int | None = None,
    anew: bool = False,
    progress: Progress = silent,
) -> Synced:
    """Bring a hub's listing, or an organisation's, into the index, and return what came.

    Of a listing of more than some ten thousand models, what changed comes for a week. What was
    begun and ended early goes on where it was. With `anew` all comes, and the index is built anew.
    Raises BadOption for a hub that has no listing to bring, Unreachable where the hub stays away,
    and Refused where another process syncs.
    """
    start = time.perf_counter()
    source = open_hub(hub or setting("hub") or "hf")
    if not isinstance(source, Listed):
        raise BadOption(
            f"the hub `{source.name}` needs no sync", "`hubtl search` looks into it as it is"
        )
    address = getattr(source, "endpoint", source.name)
    many = address == HUGGING_FACE and not organisation
    wanted = (LEAST if many else 0) if least is None else least
    about = About(address, source.name, organisation, wanted)
    with Bringing(index_folder(), about).held() as ours:
        if not ours:
            raise Refused("another process brings this listing", "wait for it, then again")
        models, whole = _brought(source, about, anew, progress)
    entries = follow(
        index_folder(),
        anew=anew,
        told=lambda count: progress("building the index", count, 0),
    )
    return Synced(address, models, entries, time.perf_counter() - start, whole)


def _brought(source: Listed, about: About, anew: bool, progress: Progress) -> tuple[int, bool]:
    """Bring a listing, or what changed after the last one; return how many models, and which."""
    bringing = Bringing(index_folder(), about)
    before = _same_before(about)
    goes_on = bringing.goes_on()
    if not goes_on and not anew and isinstance(source, Large) and _goes_for_changes(before):
        return _changes(source, replace(about, whole=False), before[-1].about.until, progress)
    etag = before[0].about.etag if len(before) == 1 and not goes_on and not anew else ""
    if not goes_on:
        bringing.begin(*_plan(source, about, before, progress))

    def pages(part: Part, start: str) -> Iterable[Page]:
        more = {"etag": etag} if etag else {}
        at = part.begun()[0] or start
        return source.pages(organisation=about.organisation, least=about.least, start=at, **more)

    known = _bring(bringing, pages, progress)
    if known is None:
        bringing.forget()
        return sum(1 for _ in before[0].lines()), True
    return known, True


def _changes(source: Large, about: About, since: str, progress: Progress) -> tuple[int, bool]:
    bringing = Bringing(index_folder(), about)
    if not bringing.goes_on():
        bringing.begin([""], 0, source.newest())

    def pages(part: Part, start: str) -> Iterable[Page]:
        return source.changes(since=since, least=about.least, start=part.begun()[0])

    return _bring(bringing, pages, progress) or 0, False


def _same_before(about: About) -> list[Kept]:
    """Return the last listing of the same, and what changed after it."""
    return [
        each
        for each in listings(index_folder())
        if replace(each.about, whole=True, until="", etag="") == about
    ]


def _goes_for_changes(before: list[Kept]) -> bool:
    """Return whether to ask for what changed after these, rather than for all."""
    if not before or not before[0].about.whole or not before[-1].about.until:
        return False
    file = before[0].path.stat()
    return file.st_size > MANY and time.time() - file.st_mtime < OLD


def _plan(
    source: Listed, about: About, before: list[Kept], progress: Progress
) -> tuple[tuple[str, ...], int, str]:
    """Return where the parts of a listing start, how many models it has, and until when it is.

    One that is known to be small, or is an organisation's, is brought in one part.
    """
    small = bool(before) and before[0].path.stat().st_size <= MANY
    if small or about.organisation or not isinstance(source, Large):
        return ONE
    until = source.newest()
    step = f"looking through {about.address}"
    return (*source.parts(least=about.least, told=lambda n: progress(step, n, 0)), until)


def _bring(
    bringing: Bringing, pages: Callable[[Part, str], Iterable[Page]], progress: Progress
) -> int | None:
    """Bring all parts, a few at once, and return how many models, or None where there is no page.

    Then nothing has changed, and nothing is kept.
    """
    parts, about = bringing.parts(), bringing.about
    counts = [part.begun()[1] for part in parts]
    etags, name = list[str](), "#".join(filter(None, (about.address, about.organisation)))
    lock, stopped = threading.Lock(), threading.Event()

    def noted(given: Iterable[Page]) -> Iterator[Page]:
        for page in given:
            if stopped.is_set():
                return
            etags.append(page.etag)
            yield page

    def bring(number: int) -> None:
        part = parts[number]
        if part.done:
            return
        for count in part.add(noted(pages(part, bringing.starts[number]))):
            with lock:
                counts[number] = count
                progress(f"listing {name}", sum(counts), bringing.total)

    try:
        _abreast(bring, len(parts))
    finally:
        stopped.set()
    if not all(part.done for part in parts):
        return None
    bringing.finish("".join(etags))
    return sum(counts)


def _abreast(bring: Callable[[int], None], many: int) -> None:
    """Do all of many, a few at once, and raise what the first raises that fails."""
    if many == 1:
        bring(0)
        return
    waiting = queue.SimpleQueue[int]()
    for number in range(many):
        waiting.put(number)
    failed = list[BaseException]()

    def work() -> None:
        while not failed:
            try:
                bring(waiting.get_nowait())
            except queue.Empty:
                return
            except BaseException as error:
                failed.append(error)

    # Whoever presses Ctrl-C does not wait for a page, or for a hub that is busy.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(ABREAST, many))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
