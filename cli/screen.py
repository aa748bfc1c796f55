"""All printing: results to stdout, progress and warnings and hints to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hubtl.transfer.progress import Progress


def say_json(value: object) -> None:
    """Print one JSON document."""
    import json

    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def say(text: str = "") -> None:
    """Print a line of the result; `code` is coloured where there are colours."""
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(_shown(text), markup=False, emoji=False)


def note(text: str) -> None:
    """Print a line that is not the result."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(_shown(text), markup=False, style="dim")


def table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Sequence[str] = (),
    less: Sequence[str] = (),
) -> list[str]:
    """Print rows under titles, and return titles for which there was no room.

    The columns named in `numbers` stand to the right. Those in `less`, the most wanted first, are
    shown as far as the terminal is wide enough.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    all_ = titles
    if less:
        titles, rows = _fitting(titles, list(rows), less, console.width)
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, title in enumerate(titles):
        # The first column is what a person copies, so it stays in one piece.
        justify: Literal["left", "right"] = "right" if title in numbers else "left"
        shown.add_column(title, justify=justify, overflow="fold", no_wrap=number == 0)
    for row in rows:
        shown.add_row(*(Text(_shown(cell)) for cell in row))
    console.print(shown)
    return [title for title in all_ if title not in titles]


def _shown(text: str) -> str:
    """Return a text without what could steer a terminal: names and cards are strangers'."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\n\t" else " " for each in text)


def _fitting(
    titles: Sequence[str], rows: list[Sequence[str]], less: Sequence[str], width: int
) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return a table with as many of the columns of `less`, the first of them first, as fit."""
    from rich.cells import cell_len

    columns = {each[0]: each for each in zip(titles, *rows, strict=True)}
    wide = {title: max(map(cell_len, cells)) + 2 for title, cells in columns.items()}
    left = width + 2 - sum(wide[title] for title in titles if title not in less)
    for title in less:
        if wide[title] <= left:
            left -= wide[title]
        else:
            del columns[title]
    first, *rest = zip(*columns.values(), strict=True)
    return first, list(rest)


def size(count: int | None) -> str:
    """Return bytes as a person writes them."""
    if count is None:
        return "unknown"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit in "BkB" or count >= 10 else f"{count:.1f} {unit}"
        count = count / 1000  # type: ignore[assignment]
    raise AssertionError("the last unit returns")


def params(count: int | None) -> str:
    """Return a number of parameters as a person writes it."""
    return (
        "unknown"
        if count is None
        else f"{count / 1e6:.0f}M"
        if count >= 1e7
        else f"{count / 1e6:.1f}M"
    )


def interval(value: dict[str, Any], metric: str = "", sign: str = "", digits: int = 3) -> str:
    """Return a metric, or a difference in it, with its interval."""
    from hubtl.registry.comparing import figure

    told, low, high = (
        figure(metric, value[name], sign, digits) for name in ("value", "low", "high")
    )
    return f"{told} ({low} to {high})"


@contextmanager
def progress() -> Iterator[Progress]:
    """Show how far a job is: a bar on a terminal, a line a step elsewhere; always on stderr."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _lines(console)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    kinds = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bars(*kinds, console=console, transient=True) as bars:
        shown: dict[str, Any] = {}

        def show(step: str, done: int, total: int) -> None:
            # An epoch's name changes with each epoch, and it is one bar all the same.
            key = step.partition(",")[0]
            if key not in shown:
                shown[key] = bars.add_task(step, total=total or None, rate="")
            speed = bars.tasks[shown[key]].speed or 0
            bars.update(
                shown[key],
                description=step,
                completed=done,
                total=total or None,
                rate=f"{speed:,.0f}/s" if speed >= 10 else "",
            )

        yield show


def _lines(console: Any) -> Progress:
    seen: set[str] = set()

    def show(step: str, done: int, total: int) -> None:
        if step not in seen:
            seen.add(step)
            console.print(f"{step} …", markup=False, style="dim")

    return show
