"""The page on a ranking: the advice first, all that speaks for a candidate, and safe to open."""

from __future__ import annotations

import dataclasses
import html
import re
import stat
from pathlib import Path

import pytest

from hubtl.chart import STRONGEST, named, render_chart
from hubtl.page import check_page
from hubtl.ranked import Layer, Ranked, Ranking, Related
from hubtl.registry.entry import LeftOut
from hubtl.registry.errors import BadOption, Unwritable

from .test_page import THEMES, colours, contrast, mixed
from .test_rank import BERT, ENCODER, TASK, kept, rank
from .test_report import DRAWS, EVIL, Page

PARTS = {"probe": 0.3, "parameters": -0.1}
SMALL = Ranked(
    "acme/small", 0.2, -0.1, 0.4, ("acme/large",), {"parameters": 3e6, "downloads": None}, 1.5, 90,
    PARTS, {"probe": -0.52, "odd": 7.0}, 3_000_000, "mit", "1" * 40, None,
    {"probe": (-0.61, -0.43), "odd": None}, (Layer(1, 0.1), Layer(2, 0.3), Layer(3, 0.2)), 0.25,
    Related(True, None, 0.75, "share of words"),
)  # fmt: skip
LARGE = dataclasses.replace(
    SMALL,
    id="acme/large",
    score=0.25,
    tied_with=("acme/small",),
    params=90_000_000,
    licence=None,
    averaged=None,
    related=Related(False),
)
LATE = dataclasses.replace(SMALL, id="acme/late", tied_with=(), rows=30, upon="acme/late@2")
FOUND = Ranking(
    TASK, (SMALL, LARGE, LATE), "`acme/small` can't be told from `acme/large`.", 90, 400,
    {"text": "words"}, {"probe": 0.5, "odd": 0.5, "parameters": 0.5, "downloads": 0.0},
    {"probe": "log likelihood of rows held out"}, 2, (LeftOut("acme/nan", "weights are NaN"),),
    tuple(LeftOut(f"acme/{n}", "only as a pickle") for n in range(25)), ("odd of acme/x: no",), 9.0,
    domain="legal",
)  # fmt: skip


def shown(found: Ranking) -> Page:
    return Page(found.write_report("ranking.html"))


def words_of(page: Page) -> str:
    """What a page says, its cells apart from each other."""
    body = page.source.partition("<body>")[2].replace("<wbr>", "")
    apart = re.sub(r"</?(td|th|p|br|h\d)\b[^>]*>", " ", body)
    return " ".join(html.unescape(re.sub("<[^>]+>", "", apart)).split())


def test_the_advice_comes_first_and_each_number_of_the_ranking_is_told():
    text = words_of(shown(FOUND))
    assert text.index("acme/small can't be told from acme/large.") < text.index("Candidates")
    for words in (
        "Judged on 90 of 400 rows to learn from (text from words)",
        "acme/small +0.20 -0.10 to +0.40 yes 3.0M mit 90 1.5",
        "acme/large +0.25 -0.10 to +0.40 yes 90M unknown 90 1.5",
        "acme/late an adapter, with its base +0.20 -0.10 to +0.40 left behind 3.0M mit 30 1.5",
        "model probe × 0.5 parameters × 0.5 score acme/small +0.30 -0.10 +0.20",
        "compared on 2 earlier sets of data",
        "model probe odd acme/small -0.52 -0.61 to -0.43 7 acme/large",
        "probe: log likelihood of rows held out.",
        "acme/small 2 of 3 layers 0.300 0.200 0.250",
        "acme/large 2 of 3 layers 0.300 0.200 of unlike widths",
        "acme/small 3,000,000",
        "model for legal measured acme/small yes 0.75 acme/large no unknown",
        "beside the domain that you named. Measured: share of words; more is nearer.",
        "acme/nan weights are NaN",
        "25: only as a pickle. acme/0, acme/1,",
        "acme/19 and 5 more",
        "odd of acme/x: no",
        f"hubtl adapt {TASK} DATA --base acme/small",
    ):
        assert words in text, words


@DRAWS
def test_those_that_may_be_best_are_set_off_and_those_left_behind_are_not_drawn():
    svg, *layers = re.findall(r"<svg .*?</svg>", shown(FOUND).source, re.DOTALL)
    assert [re.search('aria-label="(.*?)"', each)[1] for each in layers] == [
        "What each layer of small scores",
        "What each layer of large scores",
    ]
    assert re.findall(r"<text[^>]*>(small|large|late)<", svg) == ["small", "large"]
    assert "var(--accent)" in svg and 'aria-label="Candidates by their score"' in svg


def test_a_plot_calls_a_candidate_by_its_name_and_by_its_owner_where_two_have_it():
    twin = dataclasses.replace(SMALL, id="other/small")
    assert named([SMALL, LARGE]) == {"acme/small": "small", "acme/large": "large"}
    assert named([SMALL, twin]) == {"acme/small": "acme/small", "other/small": "other/small"}


def test_one_that_is_alone_is_compared_with_nothing():
    text = words_of(shown(dataclasses.replace(FOUND, ranking=(SMALL,), advice="Only one.")))
    assert "Only one." in text and "What a score is made of" not in text


def test_names_and_reasons_are_shown_and_never_obeyed():
    odd = dataclasses.replace(SMALL, id=EVIL, licence=EVIL)
    failed = (LeftOut(EVIL, f"`{EVIL}`"),)
    page = shown(dataclasses.replace(FOUND, ranking=(odd, LARGE), advice=EVIL, failed=failed))
    assert "script" not in page.tags and page.handlers == []
    assert EVIL in page.text and "default-src 'none'" in page.source
    assert not re.search(r"https?://(?!www.w3.org)|url\((?!#)|@import", page.source)


def test_without_matplotlib_the_page_has_its_tables_and_says_so(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    page = shown(FOUND)
    assert "svg" not in page.tags and "pip install 'hubtl[report]'" in page.text


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("side", ["good", "bad"])
def test_a_number_can_be_read_on_the_strongest_shade(theme, side):
    found = colours(theme)
    shade = mixed(found[side], found["paper"], STRONGEST / 100)
    assert contrast(found["ink"], shade) >= 4.5
    assert f"--share: {STRONGEST}%" in render_chart(FOUND)


def test_rank_writes_the_page_for_its_owner_only_and_over_its_own(shelf, moods, hubtl_cli):
    found = rank(shelf, moods, BERT, ENCODER, report="seen/ranking.html")
    page = Page(Path("seen/ranking.html"))
    assert found.advice.replace("`", "") in words_of(page)
    assert stat.S_IMODE(Path("seen/ranking.html").stat().st_mode) == 0o600
    line = f"rank {TASK} moods.csv --candidates {BERT} {ENCODER} --hub folder:{shelf.cache.root}"
    said = hubtl_cli(f"{line} --report seen/ranking.html")
    assert (said.code, "to look at: seen/ranking.html\n" in said.err) == (0, True)
    assert [each.name for each in Path("seen").iterdir()] == ["ranking.html"]


def test_a_page_that_can_t_be_written_is_refused_before_any_work(shelf, moods):
    with pytest.raises(BadOption, match="`moods.csv` is no name for a page") as told:
        rank(shelf, moods, BERT, report="moods.csv")
    assert told.value.hint == "such as --report moods.html" and not kept()
    Path("mine.html").write_text("<p>mine</p>")
    with pytest.raises(BadOption, match="is there already, and no page that hubtl wrote"):
        rank(shelf, moods, BERT, report="mine.html")
    with pytest.raises(Unwritable):
        check_page(Path("/proc/ranking.html"), "--report")
