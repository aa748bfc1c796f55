"""The page on a ranking: which candidates there are, what speaks for each, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import plots
from .page import HERE, check_page, rendered, write_page
from .ranked import Ranked, Ranking
from .registry.entry import LeftOut

TEMPLATE = HERE / "chart.html.jinja"
OPTION = "--report"
MOST_DRAWN = 4  # candidates whose layers are drawn; all of them are in the table
NAMED = 20  # models of one reason by name; more by number
STRONGEST = 35  # per cent of colour behind the largest part, on which ink can still be read
PRIORS = {
    "parameters": "parameters: how large a candidate is",
    "downloads": "downloads: how many people use it, as its hub counts them",
    "benchmark": "benchmark: what candidates reached on the same published rows",
    "past": "past: what you and your team reached with it on other data",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What a part adds to a score, as a number and as a shade: `more`, `less`, or nothing."""

    value: float | None
    shade: int

    @property
    def side(self) -> str:
        """Which colour it has."""
        return "more" if self.shade and (self.value or 0) > 0 else "less" if self.shade else ""


def check_chart(path: Path) -> None:
    """Raise the HubtlError that stands in the way of a page there, before any work."""
    check_page(path, OPTION)


def write_chart(found: Ranking, path: Path) -> Path:
    """Return the page of a ranking, written; raises BadOption and Unwritable."""
    check_chart(path)
    write_page(path, render_chart(found))
    return path


def render_chart(found: Ranking) -> str:
    """Return the page: the advice first, then what it rests on."""
    return rendered(
        TEMPLATE,
        found=found,
        alone=len(found.ranking) == 1,
        behind=[each for each in found.ranking if found.may_be_best(each) is None],
        words={True: "yes", False: "no", None: "left behind"},
        stated={True: "yes", False: "no", None: "unknown"},
        parts=_parts(found),
        cells=_cells(found),
        scorers=list(dict.fromkeys(name for each in found.ranking for name in each.scores)),
        priors=[name for name in PRIORS if any(_prior(each, name) for each in found.ranking)],
        about={**PRIORS, **{name: f"{name}: {told}" for name, told in found.scorers.items()}},
        related=any(_told(each) for each in found.ranking),
        how=next((each.related.how for each in found.ranking if each.related.how), ""),
        layered=[each for each in found.ranking if each.layers],
        reasons=_reasons(found.left_out),
        **_plots(found),
    )


def _parts(found: Ranking) -> dict[str, float]:
    """Return the weights of the parts that count for any candidate."""
    return {
        name: weight
        for name, weight in found.weights.items()
        if weight and any(each.parts.get(name) is not None for each in found.ranking)
    }


def _cells(found: Ranking) -> dict[str, dict[str, Cell]]:
    """Return what each part adds, by candidate and part; the largest has the strongest shade."""
    names = _parts(found)
    values = {each.id: {name: each.parts.get(name) for name in names} for each in found.ranking}
    most = max((abs(v or 0) for row in values.values() for v in row.values()), default=0)

    def cell(value: float | None) -> Cell:
        return Cell(value, round(STRONGEST * abs(value or 0) / most) if most else 0)

    return {each: {name: cell(v) for name, v in row.items()} for each, row in values.items()}


def _prior(each: Ranked, name: str) -> bool:
    return each.priors.get(name) is not None


def _told(each: Ranked) -> bool:
    """Return whether anything is known of how near the rows lie to what it was made for."""
    told = each.related
    return any(one is not None for one in (told.domain, told.language, told.value))


def _reasons(left_out: Sequence[LeftOut]) -> list[tuple[str, int, list[str]]]:
    """Return why models were left out, how many, and some by name; the commonest first."""
    counts = Counter(each.why for each in left_out)
    return [
        (why, count, [each.id for each in left_out if each.why == why][:NAMED])
        for why, count in counts.most_common()
    ]


def _plots(found: Ranking) -> dict[str, Any]:
    """Return each plot as SVG that is safe to put into the page; empty where there is none."""
    from markupsafe import Markup

    if not plots.can_plot():
        return {"plots": False, "plot_scores": "", "plots_of_layers": {}}
    last = [each for each in found.ranking if found.may_be_best(each) is not None]
    names = named(last)
    drawn = (
        ""
        if len(last) == 1
        else plots.intervals(
            {names[each.id]: _span(each) for each in last},
            "score: 0 is a middling candidate",
            "Candidates by their score",
            {names[each.id] for each in last if found.may_be_best(each)},
            0.0,
        )
    )
    layered = [each for each in last if len(each.layers) > 1][:MOST_DRAWN]
    layers = {
        names[each.id]: Markup(
            plots.evidence_by_layer(
                [one.value for one in each.layers], f"What each layer of {names[each.id]} scores"
            )
        )
        for each in layered
    }
    return {"plots": True, "plot_scores": Markup(drawn), "plots_of_layers": layers}


def _span(each: Ranked) -> Mapping[str, float]:
    return {"value": each.score, "low": each.low, "high": each.high}


def named(some: Sequence[Ranked]) -> dict[str, str]:
    """Return what a plot calls each candidate by its id: without the owner, where that will do."""
    short = Counter(each.id.rpartition("/")[2] for each in some)
    found = {}
    for each in some:
        last = each.id.rpartition("/")[2]
        found[each.id] = last if short[last] == 1 else each.id
    return found
