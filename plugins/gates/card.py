"""Refuse a card that claims what was not measured, or that a hub would not accept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...registry.card import headline, read_front_matter
from ...registry.comparing import WITH_UNIT, figure
from ...registry.entry import Entry
from ...registry.errors import BadData, Refused
from ...registry.facts import FILE, Facts, read_facts
from ..hookspecs import hookimpl

CARD = "README.md"
ROUNDED = 5e-5  # a card has four decimals of a rate
SHORTENED = 5e-6  # and six digits of what has a unit


@hookimpl
def before_publish(folder: Path, entry: Entry) -> None:
    """Raise Refused where the card tells other results than `hubtl.json`, BadData for its form."""
    path = folder / CARD
    if not path.is_file():
        raise BadData(f"`{folder}` has no card", "adapt again: it writes one")
    facts = read_facts(folder)
    licence = read_front_matter(path).get("license")
    if facts.licence and licence != facts.licence:  # none at all is for the gate of licences
        raise Refused(
            f"the card gives the licence {licence}, and what it was made from has {facts.licence}",
            f"correct {CARD}: the licence follows the base",
        )
    for metric, claimed in _claims(path).items():
        measured = facts.metrics.get(metric, {}).get("value")
        if measured is None or abs(claimed - measured) > _off(metric, measured):
            told = "nothing was"
            if measured is not None:
                told = f"{figure(metric, measured, digits=4)} was"
            raise Refused(
                f"the card claims {metric} {figure(metric, claimed, digits=4)}, and {told} "
                "measured",
                f"adapt again, or correct {CARD} by what {FILE} says",
            )
    _check_words(path.read_text("utf-8", "replace"), facts)
    _check_form(path)


def _off(metric: str, measured: float) -> float:
    """Return how far off a claim may be that was rounded to be written down."""
    return SHORTENED * abs(measured) if metric in WITH_UNIT else ROUNDED


def _claims(path: Path) -> dict[str, float]:
    """Return the results in a card's metadata; raises BadData where there are none to read."""
    try:
        metrics = read_front_matter(path)["model-index"][0]["results"][0]["metrics"]
        return {str(each["type"]): float(each["value"]) for each in metrics}
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BadData(
            f"the metadata of the card `{path}` has no results", "adapt again: it writes them"
        ) from error


def _check_words(card: str, facts: Facts) -> None:
    if headline(facts) not in card:
        raise Refused(
            f"the card does not say the result in the words that hubtl writes: “{headline(facts)}”",
            f"put that back into {CARD}, or adapt again",
        )


def _check_form(path: Path) -> None:
    """Raise BadData where the Hub's own library can't read the card."""
    from huggingface_hub import ModelCard

    try:
        card: Any = ModelCard(path.read_text("utf-8"))
        results = card.data.eval_results
    except Exception as error:  # it raises whatever its parsers do
        raise BadData(
            f"the metadata of the card `{path}` is not what a hub accepts: {error}",
            "adapt again: it writes what is",
        ) from error
    if not results:
        raise BadData(f"the Hub reads no results out of the card `{path}`", "adapt again")
