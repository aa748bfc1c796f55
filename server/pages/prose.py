"""What somebody wrote in Markdown, as HTML that is the hub's own from the first to the last sign.

Nothing of a card's own HTML gets through: its tags and comments are left out and its words stay.
Pictures from elsewhere are not loaded, which would tell others who reads; they become links.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup, escape

from ..cards import MATTER

# Markdown of this much is read in a second at the very worst, and a card's in a tenth of that.
MOST = 100_000
# Brackets and asterisks in one paragraph are looked up against each other, and a table has cells
# where a line has none: what is longer, deeper or larger than people write is shown as it stands.
LONGEST_PARAGRAPH, DEEPEST, MOST_CELLS = 4000, 10, 20_000
TAG = re.compile(r"<[^<>]*>")
SILENT = re.compile(r"\s*<(script|style|template)\b", re.IGNORECASE)
BELOW = 2  # the page itself has headings of the first two levels
SCHEMES = ("http", "https", "mailto")
STRANGER = "nofollow noopener noreferrer"
ANCHOR = "card-"


def without_matter(text: str) -> str:
    """Return a card without its metadata."""
    found = MATTER.match(text)
    return text[found.end() :].lstrip("\r\n") if found else text


def cut(text: str) -> tuple[str, bool]:
    """Return as much of a text as is shown, up to the end of a line, and whether that is less."""
    if len(text) <= MOST:
        return text, False
    short = text[:MOST]
    return short[: short.rfind("\n") + 1] or short, True


@functools.lru_cache(maxsize=64)
def as_html(text: str, title: str, home: str, revision: str) -> Markup:
    """Return Markdown as HTML below headings of two levels.

    A first heading that says `title` is left out, since the page has said that. `home` is the
    address of the repository, in which paths lead to files of `revision`.
    """
    bars = [line.count("|") for line in text.splitlines() if "|" in line]
    huge = len(bars) * max(bars, default=0) > MOST_CELLS
    reader = _reader().disable("table") if huge else _reader()
    tokens = reader.parse(text)
    if len(tokens) > 2 and tokens[0].tag == "h1" and tokens[1].content.strip() == title:
        del tokens[:3]
    _settle(tokens, f"/{home}", revision)
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704  (made above)


def _reader() -> MarkdownIt:
    made = MarkdownIt("js-default", {"html": True, "linkify": False})
    # `html` is on so that it is told from text; RULES say what becomes of it.
    for name, rule in RULES.items():
        made.add_render_rule(name, rule)
    made.core.ruler.at("inline", _short_paragraphs)
    return made


def _nothing(*_: Any) -> str:
    return ""


def _words(_: Any, tokens: Sequence[Token], number: int, *__: Any) -> str:
    """Return the words of a block of HTML, escaped."""
    text = tokens[number].content
    if text.lstrip().startswith("<!--"):
        text = text.partition("-->")[2]
    if SILENT.match(text):
        return ""
    words = TAG.sub("", text).strip()
    return f"<p>{escape(words)}</p>\n" if words else ""


def _scrolled(_: Any, tokens: Sequence[Token], number: int, *__: Any) -> str:
    """Return a table's or a program's begin or end, in a box that is scrolled by keys too."""
    if tokens[number].type == "table_close":
        return "</table></div>\n"
    return '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>\n'


def _code(_: Any, tokens: Sequence[Token], number: int, *__: Any) -> str:
    content = escape(tokens[number].content)
    return f'<pre role="group" aria-label="Code" tabindex="0"><code>{content}</code></pre>\n'


def _short_paragraphs(state: StateCore) -> None:
    """Read what stands in a paragraph, unless it is too long to be one."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = []
        if len(token.content) > LONGEST_PARAGRAPH or _depth(token.content) > DEEPEST:
            token.children.append(Token("text", "", 0, content=token.content))
        else:
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _depth(text: str) -> int:
    """Return how many brackets are open at once, at most."""
    steps = ((letter == "[") - (letter == "]") for letter in text if letter in "[]")
    return max(accumulate(steps), default=0)


def _settle(tokens: Sequence[Token], home: str, revision: str) -> None:
    """Put headings below the page's own, and let links and pictures lead only where they may."""
    above: list[str] = []
    for number, token in enumerate(tokens):
        if token.type == "heading_close":
            token.tag = _level(above)
        if token.type == "heading_open":
            while above and above[-1] >= token.tag:
                above.pop()
            above.append(token.tag)
            token.tag = _level(above)
            token.attrs = {"id": ANCHOR + _anchor(tokens[number + 1].content)}
        if token.type in ("th_open", "td_open"):
            right = "right" in str(token.attrs.pop("style", ""))
            token.attrs |= {"class": "number"} if right else {}
        for child in token.children or ():
            if child.type == "link_open":
                child.attrs = _link(str(child.attrs.get("href", "")), home, revision)
            elif child.type == "image":
                _picture(child, home, revision)


def _level(above: Sequence[str]) -> str:
    """Return the heading that comes next below those above it, so that no level is left out."""
    return f"h{min(len(above) + BELOW, 6)}"


def _anchor(words: str) -> str:
    return re.sub(r"[^\w-]", "", words.casefold().replace(" ", "-"))[:100]


def _link(href: str, home: str, revision: str) -> dict[str, str | int | float]:
    if href.startswith("#"):
        return {"href": f"#{ANCHOR}{href[1:]}"}
    inside = _inside(href)
    if inside is not None:
        return {"href": f"{home}/tree/{quote(revision, safe='')}/{inside}"}
    known = _scheme(href) in SCHEMES
    return {"href": href, "rel": STRANGER} if known else {}


def _scheme(href: str) -> str:
    try:
        return urlsplit(href).scheme
    except ValueError:
        return ""


def _inside(href: str) -> str | None:
    """Return the path in the repository that a link leads to, or None for one that leads out."""
    if _scheme(href) or href.startswith(("/", "\\")) or ":" in href.partition("/")[0]:
        return None
    return urljoin("/", href).lstrip("/") or None


def _picture(token: Token, home: str, revision: str) -> None:
    """Let a picture of the repository be shown, and one from elsewhere become a link to it."""
    source, words = str(token.attrs.get("src", "")), token.content
    inside = _inside(source)
    if inside is not None:
        place = f"{home}/resolve/{quote(revision, safe='')}/{inside}"
        token.attrs = {"src": place, "alt": words, "loading": "lazy"}
        return
    token.type = "stranger_picture"


def _unseen(_: Any, tokens: Sequence[Token], number: int, *__: Any) -> str:
    return f'<span class="faint">[picture: {escape(tokens[number].content or "no words")}]</span>'


RULES = {
    "html_inline": _nothing,
    "html_block": _words,
    "table_open": _scrolled,
    "table_close": _scrolled,
    "fence": _code,
    "code_block": _code,
    "stranger_picture": _unseen,
}
