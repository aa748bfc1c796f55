"""Views of rows to train on: a fixed number of each, so that what is made of them can be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .network import Network
from .split import Example
from .start import Session

MARK = "\0view "  # in no path and no text
LABEL = "\0label "  # nor is this


def viewed(session: Session, network: Network) -> Session:
    """Return the session with each row to train on as often as the network has views of it.

    Views of one row are one group, so that none is judged by another. Where the network reads an
    input and its label as one, both are both.
    """
    if getattr(network, "reads_labels", False):  # a plugin's network may be of before
        given = session.train, session.validation, session.among
        train, validation, among = (told_to(network, rows) for rows in given)
        return replace(session, train=train, validation=validation, among=among)
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


def as_read(rows: Sequence[Example], network: Network) -> list[str]:
    """Return the inputs of rows as a network that learns from them reads them."""
    return [row.input for row in told_to(network, rows)]


def told_to(network: Network, rows: Sequence[Example]) -> Sequence[Example]:
    """Return rows as a network that learns from them, or is judged by them, is given them."""
    if not getattr(network, "reads_labels", False):
        return rows
    told = ((row, with_label(row.input, row.label)) for row in rows)
    return [replace(row, input=one, label=one, digest="") for row, one in told]


def with_label(each: str, label: str) -> str:
    """Return an input and its label as one text."""
    return f"{each}{LABEL}{label}"


def split_label(each: str) -> tuple[str, str]:
    """Return an input and the label that stands with it; an empty one where none does."""
    whole, _, label = each.partition(LABEL)
    return whole, label


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
