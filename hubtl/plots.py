"""The report's plots, drawn by matplotlib as SVG whose colours are those of the page it stands in.

A colour of the page is drawn as a stand-in, which is then replaced by the page's own variable: so
one drawing is right in light, in dark and on paper.
"""

from __future__ import annotations

import contextlib
import html
import importlib.util
import io
import re
import textwrap
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, ACCENT, PAPER = "#010203", "#010204", "#010205", "#010206"
VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    ACCENT: "var(--accent)",
    PAPER: "var(--paper)",
}
# Names of things for other programs, of which a page with several drawings has each several times.
NAMES = re.compile(r' id="[a-zA-Z0-9.]+_\d+"')
FONT = re.compile(r"(font: [\d.]+px|font-family:) [^;\"]+")  # as one matplotlib or another says it
WIDTH = 4.6  # inches: a phone shows that nearly at full size
STRONGEST = 0.5  # the shade of a full cell, on which ink can still be read
LONGEST = 24  # letters of a name in one line
UPRIGHT = 30  # letters beside a plot of the lowest height
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a label with dollars is no formula
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def can_plot() -> bool:
    """Return whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def intervals(
    rows: Mapping[str, Mapping[str, float]],
    title: str,
    about: str,
    ours: Collection[str] = (),
    middle: float | None = None,
    limits: tuple[float, float] | None = None,
) -> str:
    """Return a point and a bar for each {value, low, high}, by name; those of `ours` are set off.

    A line goes down at the `middle`, if there is one. `limits` are the ends of what is shown.
    """
    lines = 2 if any("\n" in _short(name) for name in rows) else 1
    with _drawn(about, (0.17 * lines + 0.1) * len(rows) + 0.8) as (axes, svg):
        for place, (name, value) in enumerate(rows.items()):
            colour = ACCENT if name in ours else INK
            bar = [[value["value"] - value["low"]], [value["high"] - value["value"]]]
            axes.errorbar(
                value["value"], place, xerr=bar, fmt="o", color=colour, capsize=3, markersize=5
            )
        if middle is not None:
            axes.axvline(middle, color=FAINT, linestyle="--", linewidth=1)
        axes.set_yticks(range(len(rows)), [_short(name) for name in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        _grid(axes, "x")
        axes.set_xlabel(title)
        if limits:
            axes.set_xlim(*limits)
    return svg[0]


def reliability(
    bins: Sequence[Mapping[str, float]], before: Sequence[Mapping[str, float]], about: str
) -> str:
    """Return how often each bin is right beside how sure it is, and how many rows it has.

    The bins of before a temperature, if there are any, are rings.
    """
    most = max(each["rows"] for each in bins)
    with _drawn(about, 3.4) as (axes, svg):
        for each in before:
            axes.plot(
                each["confidence"],
                each["accuracy"],
                "o",
                markeredgecolor=INK,
                markerfacecolor="none",
                markersize=3 + 7 * (each["rows"] / most) ** 0.5,
                clip_on=False,
            )
        for each in bins:
            width = each["high"] - each["low"]
            axes.bar(each["low"], each["accuracy"], width, align="edge", color=ACCENT, alpha=0.35)
            axes.plot(
                each["confidence"],
                each["accuracy"],
                "o",
                color=ACCENT,
                markersize=3 + 7 * (each["rows"] / most) ** 0.5,
                clip_on=False,
            )
        axes.plot([0, 1], [0, 1], "--", color=INK, linewidth=1)
        axes.set(xlim=(0, 1), ylim=(0, 1.03), xlabel="how sure it is", ylabel="how often right")
    return svg[0]


def curves(
    training: Sequence[float],
    validation: Sequence[float],
    best: int,
    about: str,
    unit: str = " in nats",
) -> str:
    """Return the losses by epoch, those of validation from before training on, the kept one ringed.

    A loss on training rows stands between the epochs that it was measured between.
    """
    with _drawn(about, 2.9) as (axes, svg):
        middles = [number + 0.5 for number in range(len(training))]
        axes.plot(middles, training, "s--", color=INK, markersize=4, label="training rows")
        if validation:
            epochs = range(len(validation))
            axes.plot(epochs, validation, "o-", color=ACCENT, markersize=5, label="validation rows")
            axes.plot(
                best, validation[best], "o", markersize=11, markeredgecolor=ACCENT,
                markerfacecolor="none", linestyle="none", label="kept",
            )  # fmt: skip
        axes.set(xlabel="epoch", ylabel=_upright(f"loss{unit}"), xlim=(-0.2, len(training) + 0.2))
        axes.legend(facecolor=PAPER, edgecolor="none", framealpha=1)
        _counted(axes)
    return svg[0]


def by_layer(losses: Sequence[float], about: str, unit: str = " in nats") -> str:
    """Return the loss of a probe on what each layer gives, the last being what the head sees."""
    # What hardly differs must not look as if it did.
    limits = (min(min(losses), 0.8 * max(losses)) * 0.97, 1.03 * max(losses))
    return _by_layer(losses, losses.index(min(losses)), f"loss of a probe{unit}", about, limits)


def evidence_by_layer(values: Sequence[float], about: str) -> str:
    """Return what each layer scores by LogME, the last being what the head sees."""
    return _by_layer(values, values.index(max(values)), "LogME, nats a row", about)


def _by_layer(
    values: Sequence[float],
    best: int,
    title: str,
    about: str,
    limits: tuple[float, float] | None = None,
) -> str:
    with _drawn(about, 2.9) as (axes, svg):
        axes.plot(range(1, len(values) + 1), values, "o-", color=INK, markersize=5)
        axes.plot(best + 1, values[best], "o", color=ACCENT, markersize=8)
        axes.set(
            xlabel="after so many layers", ylabel=_upright(title), xlim=(0.5, len(values) + 0.5)
        )
        if limits:
            axes.set_ylim(*limits)
        _counted(axes)
    return svg[0]


def growth(points: Sequence[Mapping[str, float]], title: str, about: str) -> str:
    """Return a metric by how many rows were learnt from, each {rows, value, low, high}."""
    with _drawn(about, 2.9) as (axes, svg):
        rows, values = ([each[name] for each in points] for name in ("rows", "value"))
        low = [each["value"] - each["low"] for each in points]
        high = [each["high"] - each["value"] for each in points]
        axes.errorbar(rows, values, yerr=[low, high], fmt="o-", color=ACCENT, capsize=3)
        axes.set(xlabel="rows to learn from", ylabel=title, xlim=(0, None))
        _grid(axes, "y")
    return svg[0]


def against(
    true: Sequence[float], said: Sequence[float], name: str, about: str, *, same: bool = True
) -> str:
    """Return a point a row: what was said by what is true; where both are the same is dashed.

    That is left out where they are not in the `same` unit.
    """
    with _drawn(about, 3.6) as (axes, svg):
        axes.plot(true, said, "o", color=ACCENT, alpha=0.5, markersize=4, markeredgewidth=0)
        if same:
            ends = [min(*true, *said), max(*true, *said)]
            axes.plot(ends, ends, "--", color=INK, linewidth=1)
        axes.set(xlabel=f"{_short(name, 1)}, true", ylabel=f"{_short(name, 1)}, said")
        _grid(axes, "y")
    return svg[0]


def residuals(true: Sequence[float], said: Sequence[float], name: str, about: str) -> str:
    """Return a point a row: how far above what is true it was said, by what was said."""
    with _drawn(about, 3.6) as (axes, svg):
        off = [b - a for a, b in zip(true, said, strict=True)]
        axes.plot(said, off, "o", color=ACCENT, alpha=0.5, markersize=4, markeredgewidth=0)
        axes.axhline(0, linestyle="--", color=INK, linewidth=1)
        axes.set(xlabel=f"{_short(name, 1)}, said", ylabel="said less true")
        _grid(axes, "y")
    return svg[0]


def _counted(axes: Axes) -> None:
    """Let whole numbers stand below, and lines go across."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _grid(axes, "y")


def _grid(axes: Axes, along: Literal["x", "y"]) -> None:
    axes.grid(axis=along, color=FAINT, alpha=0.4, linewidth=0.6)
    axes.set_axisbelow(True)


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]], about: str) -> str:
    """Return a table of true classes (lines) by what was said (columns), shaded by share."""
    from matplotlib.patches import Rectangle

    side = max(2.2, 0.36 * len(labels))
    with _drawn(about, side + 1.4, width=side + 1.9) as (axes, svg):
        for line, row in enumerate(counts):
            for column, rows in enumerate(row):
                shade = STRONGEST * rows / max(1, sum(row))
                axes.add_patch(
                    Rectangle((column, line), 1, 1, color=ACCENT, alpha=shade, linewidth=0)
                )
                if rows:
                    axes.text(column + 0.5, line + 0.5, str(rows), ha="center", va="center", size=9)
        middles = [number + 0.5 for number in range(len(labels))]
        names = [_short(each, 1) for each in labels]
        axes.set_xticks(middles, names, rotation=60, ha="right")
        axes.set_yticks(middles, names)
        axes.tick_params(length=0)
        axes.set(xlim=(0, len(labels)), ylim=(len(labels), 0), xlabel="said", ylabel="true")
    return svg[0]


@contextlib.contextmanager
def _drawn(about: str, height: float, width: float = WIDTH) -> Iterator[tuple[Axes, list[str]]]:
    """Give axes to draw on, and a list that has the SVG when all is drawn."""
    import matplotlib
    from matplotlib.figure import Figure

    found: list[str] = []
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": about}), warnings.catch_warnings():
        # Only widths are taken from matplotlib's font: the page's own has the other letters.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure.subplots(), found
        found.append(_svg(figure, about))


def _svg(figure: Figure, about: str) -> str:
    written = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    text = written.getvalue()
    text = NAMES.sub("", text[text.index("<svg") :])
    text = FONT.sub(r"\1 var(--font)", text)
    for stand_in, variable in VARIABLES.items():
        text = text.replace(stand_in, variable)
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(about)}" ', 1)


def _upright(title: str) -> str:
    """Return a title in lines that a plot is high enough for."""
    return textwrap.fill(title, UPRIGHT)


def _short(name: str, lines: int = 2) -> str:
    """Return a name in at most so many lines."""
    return "\n".join(textwrap.wrap(name, LONGEST, max_lines=lines, placeholder="…"))
