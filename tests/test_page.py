"""The page can be read: enough contrast in light and dark, letters large enough, curves drawn."""

from __future__ import annotations

import dataclasses
import re

import pytest

import hubtl
from hubtl import plots
from hubtl.page import PAGE as SHARED
from hubtl.registry.facts import read_facts

from .test_report import DRAWS, Page, hostile

PAGE = SHARED.read_text("utf-8")
THEMES = dict(zip(("light", "dark"), re.findall(r":root \{(.*?)\}", PAGE), strict=True))


def colours(theme: str) -> dict[str, tuple[float, ...]]:
    """Return red, green and blue from 0 to 1 of each colour of a theme."""
    found = {}
    for name, digits in re.findall(r"--(\w+): #(\w+)", THEMES[theme]):
        whole = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
        found[name] = tuple(int(whole[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return found


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the contrast ratio of WCAG 2: from 1 to 21."""

    def light(colour: tuple[float, ...]) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return sum(
            share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
        )

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mixed(over: tuple[float, ...], under: tuple[float, ...], share: float) -> tuple[float, ...]:
    return tuple(share * a + (1 - share) * b for a, b in zip(over, under, strict=True))


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_of_letters_can_be_read_on_what_is_behind_it(theme):
    found = colours(theme)
    for name in ("ink", "faint", "accent", "good", "bad"):
        assert contrast(found[name], found["paper"]) >= 4.5, name
    for verdict, share in (("good", 0.08), ("bad", 0.1)):
        assert contrast(found["ink"], mixed(found[verdict], found["paper"], share)) >= 4.5
    full = mixed(found["accent"], found["paper"], plots.STRONGEST)
    assert contrast(found["ink"], full) >= 4.5, "a number on the strongest shade"


def test_the_page_fits_a_phone_keeps_figures_whole_in_print_and_asks_for_nothing():
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in PAGE
    assert "color-scheme" in PAGE and "@media print" in PAGE
    assert re.search(r"@media print.*figure[^}]*break-inside: avoid", PAGE)
    assert re.search(r"@media print.*\.side { display: block; }", PAGE), "titles stay with plots"
    assert not re.search(r"https?:|@import|<script|<link", PAGE)


@DRAWS
def test_letters_of_a_plot_are_nine_pixels_high_on_a_phone():
    losses = plots.curves([0.9, 0.5, 0.3], [1.0, 0.6, 0.5, 0.55], 2, "Loss by epoch")
    width = float(re.search(r'width="([\d.]+)pt"', losses).group(1)) * 4 / 3
    sizes = [float(size) * 4 / 3 for size in re.findall(r"font(?:-size)?: ([\d.]+)px", losses)]
    assert sizes and min(sizes) * min(1, 358 / width) >= 9


@DRAWS
def test_what_more_rows_would_give_is_drawn():
    points = [{"rows": n, "value": n / 100, "low": n / 200, "high": n / 50} for n in (10, 20, 40)]
    svg = plots.growth(points, "Accuracy", "Accuracy by rows")
    assert "rows to learn from" in svg and "var(--accent)" in svg


@DRAWS
def test_how_it_learnt_is_drawn_and_told(adapt_once):
    folder = adapt_once("lora", "acme/tiny-bert")
    page = Page(hubtl.report(folder))
    assert 'aria-label="Loss by epoch"' in page.source
    assert 'aria-label="Loss of a probe on each layer"' in page.source
    assert "Rings are how it was before the temperature." in page.text
    losses = read_facts(folder).losses["validation"]
    assert all(f"{loss:.3f}" in page.text for loss in losses)


def test_a_probe_says_that_it_has_no_epochs_and_what_is_of_before_says_nothing(adapted):
    assert "Learning curves: there are no epochs" in Page(hubtl.report(adapted)).text
    old = dataclasses.replace(read_facts(adapted), losses={}, layers={}, calibration={})
    old.write(adapted)
    assert "Not known: an earlier hubtl made this." in Page(hubtl.report(adapted)).text


def test_words_in_facts_are_shown_and_never_obeyed(adapted):
    evil = "<script>alert(1)</script>"
    facts = read_facts(adapted)
    layers = {**facts.layers, "how": evil}
    shift = {"says": evil, "how": evil, "rows": 3}
    dataclasses.replace(facts, layers=layers, shift=shift, losses={"how": evil}).write(adapted)
    assert "script" not in hostile(adapted, evil, evil).tags
