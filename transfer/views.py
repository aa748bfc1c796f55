"""Views of rows to train on: a fixed number of each, so that what is made of them can be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .network import Network
from .split import Example
from .start import Session

MARK = "\0view "  # in no path and no text


def viewed(session: Session, network: Network) -> Session:
    """Return the session with each row to train on as often as the network has views of it.

    Views of one row are one group, so that none is judged by another.
    """
    if network.views < 2:
        return session

    def bound(row: Example) -> Example:
        return replace(row, group=row.group or row.id)

    def seen(rows: Sequence[Example]) -> list[Example]:
        return [
            replace(bound(row), input=view_of(row.input, number))
            for row in rows
            for number in range(network.views)
        ]

    validation = [bound(row) for row in session.validation]
    train, among = seen(session.train), seen(session.among)
    return replace(session, train=train, validation=validation, among=among)


def view_of(each: str, number: int) -> str:
    """Return the input that is a view of another; view 0 is that itself."""
    return f"{each}{MARK}{number}" if number else each


def split_view(each: str) -> tuple[str, int]:
    """Return the input that this is a view of, and the view's number."""
    whole, _, number = each.partition(MARK)
    return whole, int(number or 0)


def originals(inputs: Sequence[str]) -> list[str]:
    """Return the inputs that these are views of, each once."""
    return list(dict.fromkeys(split_view(each)[0] for each in inputs))
