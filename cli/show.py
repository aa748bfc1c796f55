"""`hubtl show`."""

from __future__ import annotations

from typing import Annotated

import typer

import hubtl
from hubtl.registry.errors import Unreachable

from . import screen
from .kin import say_family
from .options import HubName, Json

EXAMPLES = (
    "hubtl show sentence-transformers/all-MiniLM-L6-v2",
    "hubtl show acme/debian-sections --hub folder:shelf",
)


def command(
    model: Annotated[
        str, typer.Argument(metavar="ID[@REV]", help="A model, at a branch, tag or commit.")
    ],
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Show a model's licence, size, files, commit, lineage, results, and whether to trust it."""
    from hubtl.registry.catalog import catalogue
    from hubtl.registry.entry import split_revision

    known = catalogue().entry(split_revision(model)[0])
    offline = False
    try:
        entry = hubtl.show(model, hub=hub)
    except Unreachable:
        if known is None or hub:
            raise
        entry, offline = known, True
    family = hubtl.Family((), ()) if offline else hubtl.family(entry)
    about = entry.about or (known.about if known else "")
    allows, limits = _allows(entry)
    if as_json:
        files = {path: {"size": f.size, "sha256": f.sha256} for path, f in entry.files.items()}
        more = {
            "about": about,
            "licence_allows": allows,
            "licence_limits": limits,
            "files": files,
            "adapters": [each.id for each in family.children],
            "trust": _trust(tuple(entry.files)),
            "source": list(entry.source or (known.source if known else ())),
            "from": "the catalogue" if offline else entry.hub,
        }
        screen.say_json({**entry.as_json(), **more, **family.as_json()})
        return
    _say(entry, about, allows, limits, family)
    if offline:
        screen.note(
            "the hub was not asked, for it can't be reached: this is what the catalogue knows"
        )


def _say(
    entry: hubtl.Entry, about: str, allows: list[str], limits: list[str], family: hubtl.Family
) -> None:
    """Print what is known of a model, its kin, and its files."""
    screen.say(entry.id)
    if about:
        screen.say(about)
    terms = [
        f"{word} {', '.join(of)}" for word, of in (("allows", allows), ("limits", limits)) if of
    ]
    licence = (entry.licence or "unknown") + (f" ({'; '.join(terms)})" if terms else "")
    results = ", ".join(f"{name} {value:.3f}" for name, value in entry.metrics.items())
    rows = (
        ("kind", entry.kind),
        ("tasks", ", ".join(entry.tasks)),
        ("domains", ", ".join(entry.domains)),
        ("languages", ", ".join(entry.languages)),
        ("licence", licence),
        ("parameters", screen.params(entry.params) if entry.params else ""),
        ("weights", screen.size(entry.size_bytes) if entry.size_bytes else ""),
        ("commit", entry.revision or "unknown"),
        ("hub", entry.hub),
        ("results", "" if family.results else results),
        ("trust", _trust(tuple(entry.files))),
        ("source", "\n".join(entry.source)),
    )
    screen.table(("", ""), [row for row in rows if row[1]])
    say_family(entry, family)
    for path, file in entry.files.items():
        screen.say(f"  {screen.size(file.size):>8}  {path}")


def _allows(entry: hubtl.Entry) -> tuple[list[str], list[str]]:
    """Return what the licence of a model is known to allow, and what to limit."""
    from hubtl.registry.catalog import catalogue

    licence = catalogue().licences.get(entry.licence or "")
    if licence is None:
        return [], []
    allows = [name for name in ("commercial", "derivatives") if getattr(licence, name)]
    return allows, list(licence.limits)


def _trust(files: tuple[str, ...]) -> str:
    from hubtl.registry.weights import WEIGHTS, pickles

    if not files:
        return "files not known"
    if not any(path.endswith(WEIGHTS) for path in files):
        return f"refused: only a pickle, `{pickles(files)[0]}`" if pickles(files) else "no weights"
    return "safetensors; hashes are checked when it is pulled"
