"""Refuse a secret, or a path of this machine, in any text that would be published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...registry.entry import Entry
from ...registry.errors import Refused
from ...registry.facts import FILE, LOCAL
from ...registry.fingerprint import files_in
from ...registry.weights import ADAPTER_CONFIG
from ..hookspecs import hookimpl

# Such as have a form of their own. A word like `password` would be in many a vocabulary.
SECRETS: Mapping[str, str] = {
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{20,}",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "an AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a Google key": r"\bAIza[A-Za-z0-9_-]{35}",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "an API key": r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_-]{32,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'`]+:[^\s/:@\"'`]+@[\w.-]+",
}
HOMES = re.compile(r"(?:/home|/Users|[A-Za-z]:\\{1,2}Users)[/\\]+[\w.-]+")
OURS = ("README.md", FILE, ADAPTER_CONFIG)  # what else there is came from the base
TEXTS = (".json", ".jsonl", ".jinja", ".md", ".txt", ".yaml", ".yml", ".model", ".py")
HEAD = 8  # bytes that tell how long the JSON at the start of a safetensors file is


@hookimpl
def before_publish(folder: Path, entry: Entry) -> None:
    """Raise Refused for the first secret or local path in a text of the folder."""
    for path, text in texts(folder):
        _check_secrets(path, text)
        _check_paths(path, text, folder)


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each text that would be published, by its path; of weights, what stands before them."""
    for path, at in files_in(folder).items():
        if path in LOCAL:
            continue
        if at.suffix == ".safetensors":
            yield path, _header(at)
        elif at.suffix in TEXTS:
            yield path, at.read_text("utf-8", "replace")


def _header(path: Path) -> str:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(HEAD), "little")
        return file.read(min(length, path.stat().st_size)).decode("utf-8", "replace")


def _check_secrets(path: str, text: str) -> None:
    from huggingface_hub import get_token

    own = get_token()
    forms = {**SECRETS, **({"your token": re.escape(own)} if own else {})}
    for what, form in forms.items():
        found = re.search(form, text)
        if found:
            raise Refused(
                f"`{path}` has {what} in it, which begins with `{found.group()[:6]}`",
                "take it out, and make a new one: this one has been in a file",
            )


def _check_paths(path: str, text: str, folder: Path) -> None:
    """Raise Refused for the user's home or folders, as JSON writes them too."""
    here = {Path.home(), Path.cwd(), folder.absolute()}
    places = [str(each) for each in here if len(each.parts) > 1]
    written = {form for place in places for form in (place, json.dumps(place)[1:-1])}
    forms = [re.escape(place) + r"[/\\]" for place in sorted(written)]
    found = re.search("|".join(forms), text) if forms else None
    if not found and path in OURS:
        found = HOMES.search(text)
    if found:
        raise Refused(
            f"`{path}` has a path of this machine in it, `{found.group()}…`",
            "take it out: it tells who you are, and is nowhere else",
        )
