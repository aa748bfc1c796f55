"""The hub that a team hub fetches from: what names it, and the token that it is asked with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from hubtl.registry.errors import BadOption, Unreachable

if TYPE_CHECKING:
    from hubtl.server.upstream import Upstream

TOKEN = "HUBTL_UPSTREAM_TOKEN"
Url = Annotated[
    str | None,
    typer.Option(
        "--upstream",
        metavar="URL",
        help="A hub to fetch from what this one has not, such as https://huggingface.co.",
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--upstream-token-file",
        metavar="FILE",
        help=f"Has the token that hub is asked with; or {TOKEN} has it. No client's ever is.",
    ),
]
Age = Annotated[
    str,
    typer.Option(
        "--upstream-age", metavar="AGE", help="How old its branches may get here: 30s, 5m, 1d."
    ),
]


def upstream_at(url: str | None, token_file: Path | None) -> Upstream | None:
    """Return the hub at a URL, None without one; raises BadOption or Unreachable."""
    if url is None:
        if token_file:
            raise BadOption("--upstream-token-file is of no use alone", "--upstream URL")
        return None
    address = url.rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.username:
        raise BadOption(f"`{url}` is no URL of a hub", "such as --upstream https://huggingface.co")
    from hubtl.plugins.hubs.hf_upstream import HubUpstream

    return HubUpstream(address, _token(token_file))


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(TOKEN, "").strip() or None
    try:
        return file.expanduser().read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise Unreachable(f"`{file}` can't be read", "it has one line, the token") from error
