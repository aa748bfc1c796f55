"""Pages to look at: whole in one file, without scripts, asking nothing of any network."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .registry.errors import BadOption
from .workspace import check_room

if TYPE_CHECKING:
    from markupsafe import Markup

CODE = re.compile("`([^`]+)`")
HERE = Path(__file__).parent
PAGE = HERE / "page.html.jinja"  # what all of them share: head, colours, letters
MARK = b'<meta name="generator" content="hubtl">'


def rendered(template: Path, **values: object) -> str:
    """Return a page made of a template beside this file; all that it is given is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    pages.filters["coded"] = coded
    return pages.get_template(template.name).render(**values)


def coded(text: str) -> Markup:
    """Return a text, escaped, in which what stands between backticks is code."""
    from markupsafe import Markup, escape

    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def check_page(path: Path, option: str) -> None:
    """Raise unless a page can be written there: over nothing but another page of hubtl's."""
    if path.suffix.casefold() not in (".html", ".htm"):
        raise BadOption(f"`{path}` is no name for a page", f"such as {option} {path.stem}.html")
    if path.exists() and not (path.is_file() and MARK in path.read_bytes()[:4096]):
        hint = f"choose another place: {option} {path.stem}-2.html, or remove it first"
        raise BadOption(f"`{path}` is there already, and no page that hubtl wrote", hint)
    check_room(path)


def write_page(path: Path, text: str) -> None:
    """Write a page beside and rename it, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A temporary file is its owner's only, and so stays what it is renamed to.
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.stem}-", delete=False
    ) as file:
        written = Path(file.name)
        try:
            file.write(text)
        except OSError:
            written.unlink()
            raise
    written.replace(path)
