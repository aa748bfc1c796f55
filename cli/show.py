"""`hubtl show`."""

from __future__ import annotations

from typing import Annotated

import typer

import hubtl
from hubtl.registry.errors import UnknownName, Unreachable

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
    from hubtl.descendants import in_index
    from hubtl.registry.catalog import catalogue
    from hubtl.registry.domains import sources
    from hubtl.registry.entry import split_revision

    name, revision = split_revision(model)
    known = catalogue().entry(name)
    offline = ""
    try:
        entry = hubtl.show(model, hub=hub)
    except (Unreachable, UnknownName) as error:
        indexed = None if known or hub or revision else in_index(name)
        if known and isinstance(error, Unreachable) and not hub:
            entry, offline = known, "the catalogue"
        elif indexed:
            entry, offline = indexed, "the index"
        else:
            raise
    family = hubtl.family(entry, offline=bool(offline))
    about = entry.about or (known.about if known else "")
    allows, limits = _allows(entry)
    if as_json:
        files = {path: {"size": f.size, "sha256": f.sha256} for path, f in entry.files.items()}
        more = {
            "about": about,
            "licence_allows": allows,
            "licence_limits": limits,
            "files": files,
            "adapters": [each.id for each in family.children if each.kind == "adapter"],
            "trust": _trust(entry),
            "domains_from": dict(sources(entry)),
            "source": list(entry.source or (known.source if known else ())),
            "from": offline or entry.hub,
            "catalogue": _origin(entry.id) or None,
        }
        screen.say_json({**entry.as_json(), **more, **family.as_json()})
        return
    _say(entry, about, allows, limits, family)
    if offline:
        screen.note(
            f"the hub was not asked, for it can't be reached: this is what {offline} knows"
            if known
            else "none of the hubs in use tells of it: this is what the index knows"
        )


def _say(
    entry: hubtl.Entry, about: str, allows: list[str], limits: list[str], family: hubtl.Family
) -> None:
    """Print what is known of a model, its kin, and its files."""
    from hubtl.registry.comparing import figure
    from hubtl.registry.domains import sources

    screen.say(entry.id)
    if about:
        screen.say(about)
    terms = [
        f"{word} {', '.join(of)}" for word, of in (("allows", allows), ("limits", limits)) if of
    ]
    licence = (entry.licence or "unknown") + (f" ({'; '.join(terms)})" if terms else "")
    results = ", ".join(f"{name} {figure(name, value)}" for name, value in entry.metrics.items())
    rows = (
        ("kind", entry.kind),
        ("tasks", ", ".join(entry.tasks)),
        ("domains", ", ".join(f"{each} ({by})" for each, by in sources(entry).items())),
        ("languages", ", ".join(entry.languages)),
        ("licence", licence),
        ("parameters", screen.params(entry.params) if entry.params else ""),
        ("weights", screen.size(entry.size_bytes) if entry.size_bytes else ""),
        ("commit", entry.revision or "unknown"),
        ("hub", entry.hub),
        ("results", "" if family.results else results),
        ("trust", _trust(entry)),
        ("source", "\n".join(entry.source)),
        ("catalogue", _origin(entry.id)),
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


def _origin(model: str) -> str:
    """Return whose catalogue has a model, empty where none has."""
    from hubtl.registry.catalog import OURS, catalogue

    known = catalogue()
    if known.entry(model) is None:
        return ""
    origin = known.origin(model)
    return "hubtl's" if origin == OURS else f"your team's, {origin}"


def _trust(entry: hubtl.Entry) -> str:
    """Return whether a model is loaded, and what it asks for before."""
    from hubtl.registry.trust import CODE, GATED, REFUSED, SAFE
    from hubtl.registry.weights import pickles

    files = tuple(entry.files)
    if not files:
        return "files not known"
    if CODE in entry.trust:
        return f"refused: {REFUSED[CODE]}, which is never run"
    if SAFE not in entry.trust:
        return f"refused: only a pickle, `{pickles(files)[0]}`" if pickles(files) else "no weights"
    gate = "; gated: accept its terms on its page first" if GATED in entry.trust else ""
    return f"safetensors; hashes are checked when it is pulled{gate}"
