"""Cards and figures of strangers on the pages of a team hub: nothing of them is ever run."""

from __future__ import annotations

import re
import time

import pytest

from hubtl.server.pages.prose import MOST, as_html

from . import web
from .serving import commit, make
from .web import CARD, Read

hub = web.hub
team_hub = web.team_hub


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt&colon;alert(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "[a](vbscript:x) ![a](javascript:alert(1))",
    "![a](https://evil.example/pixel.png)",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "<svg/onload=alert(1)><style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<!-- --><script>alert(1)</script>",
    "<form action=https://evil.example><input name=token></form>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    '# a" onmouseover="alert(1)\n',
    '```" onload="alert(1)\nx\n```',
    '[a](/x "\\" onclick=\\"alert(1)")',
    "| a |\n|---:|\n| <script>alert(1)</script> |",
    "<a href='//evil.example'>x</a> [y](//evil.example/z) [z](\\\\evil)",
    "<scr<script>ipt>alert(1)</script>",
    "a <b",
]
SAFE = {
    "a": {"href", "rel"},
    "div": {"class", "role", "aria-label", "tabindex"},
    "pre": {"role", "aria-label", "tabindex"},
    "img": {"src", "alt", "loading"},
    "span": {"class"},
    "th": {"class"},
    "td": {"class"},
    **{f"h{level}": {"id"} for level in range(3, 7)},
    **dict.fromkeys("p ul ol li em strong code table thead tbody tr hr br s".split(), {}),
}


@pytest.mark.parametrize("text", HOSTILE)
def test_of_hostile_markup_only_words_are_left(text, hub):
    found = Read(as_html(text, "moods", "acme/moods", "main"))
    for tag, attributes in found.elements:
        assert set(attributes) <= set(SAFE[tag]), (tag, attributes)
        for address in (attributes.get("href"), attributes.get("src")):
            assert re.match(r"https?:|mailto:|/[^/\\]|#|$", str(address or "")), address
    assert "evil.example" not in [image.get("src") for image in found.all("img")]


ENDLESS = "[ ![ `  > - < <!-- [a]( a_ |a <b> *_ [] &amp; **a*".split()
ENDLESS += ["*a ", "> ", "- ", "a\n", "# a\n", "[" * 3000 + "\n\n", "[" * 190 + "\n\n"]
ENDLESS += ["|a" * n + "\n" + "|-" * n + "\n" + "|\n" * 500 for n in (90, 5000)]


@pytest.mark.parametrize("part", ENDLESS, ids=lambda part: repr(part[:8] + part[-4:]))
def test_no_text_takes_long_to_read(part):
    def seconds(size: int) -> float:
        began = time.process_time()
        as_html((part * MOST)[:size], "", "acme/moods", "main")
        return time.process_time() - began

    # On a slow machine, at least not with the square of what there is: that would be 16 times.
    took = seconds(MOST)
    assert took < 2 or took < 8 * seconds(MOST // 4)


def test_a_card_of_five_megabytes_is_cut_and_says_so(team_hub):
    make(team_hub, "acme/moods")
    card = CARD + "\nwords and <script>alert(1)</script> words\n" * 120_000
    assert commit(team_hub, {"README.md": card.encode()}, "acme/moods").status_code == 200
    began = time.perf_counter()
    answer = team_hub.ask("GET", "/acme/moods")
    assert time.perf_counter() - began < 5  # a second where nothing else runs
    assert answer.status_code == 200 and len(answer.content) < 4 * MOST
    assert "<script" not in answer.text and "The card goes on" in answer.text


def test_figures_of_a_stranger_are_shown_as_figures_or_not_at_all(team_hub):
    make(team_hub, "acme/moods")
    nothing = (
        b'{"main_metric": "a", "metrics": {}, "baselines": {}, "gain": null, "rows": {"test": 1}}'
    )
    for told in (b"[]", b"{", b'{"metrics": {"a": {"value": "<b>"}}}', b"[" * 10_000, nothing):
        assert commit(team_hub, {"hubtl.json": told}, "acme/moods").status_code == 200
        assert team_hub.ask("GET", "/acme/moods").status_code == 200
    huge = f"metrics: [{{type: accuracy, value: 1{'0' * 310}}}]"
    card = f"---\nmodel-index: [{{results: [{{{huge}}}]}}]\n---\n# Moods\n".encode()
    assert commit(team_hub, {"README.md": card}, "acme/moods").status_code == 200
    for page in ("/", "/models", "/acme", "/acme/moods"):
        assert team_hub.ask("GET", page).status_code == 200
