"""`hubtl demo`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer

from hubtl.registry.errors import BadOption, NotReproduced

from . import screen
from .options import Json

EXAMPLES = ("hubtl demo", "hubtl demo --out somewhere --json")
MODALITIES = ("text",)
ROWS_A_LABEL = 8


def command(
    modality: Annotated[str, typer.Option(help="Which road to walk: text.")] = "text",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A new folder for it all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Walk the whole road on real data, offline: find, adapt, predict, publish, verify."""
    from hubtl.example import SECTIONS, write_few
    from hubtl.registry.facts import read_facts

    if modality not in MODALITIES:
        raise BadOption(f"there is no demo for `{modality}`", f"--modality {MODALITIES[0]}")
    folder = _new_folder(out)
    few, adapted, shelf = folder / "few.csv", folder / "adapted", folder / "shelf"
    write_few(few, ROWS_A_LABEL)
    hub, name = f"folder:{shelf}", "acme/debian-sections"
    steps = (
        (
            "Find a base model that suits English text.",
            ["search", "sentence encoder", "--task", "text-classification", "--language", "en"]
            + ["--limit", "3"],
        ),
        (
            f"Adapt it to {ROWS_A_LABEL} rows a label, and judge it on rows it has not seen.",
            ["adapt", "text-classification", str(few), "--test", _short(SECTIONS)]
            + ["--domain", "software", "--out", str(adapted)],
        ),
        (
            "Ask it.",
            ["predict", str(adapted), "Play chess against the computer", "A fast SMTP server"],
        ),
        (
            "Publish it to the team: loaded back in a clean process, it must say the same.",
            ["publish", str(adapted), "--to", name, "--hub", hub, "--with-base"],
        ),
        ("The team finds it.", ["search", "--hub", hub, "--kind", "adapter"]),
        ("Anybody proves it again, any later day.", ["verify", name, "--hub", hub]),
    )
    documents = []
    for number, (why, words) in enumerate(steps, 1):
        documents.append(_run(number, why, words, as_json))
    facts = read_facts(adapted)
    _end(folder, shelf, documents, facts.beats_baseline, as_json)
    if not facts.beats_baseline:
        raise NotReproduced("the adapted model does not beat its baseline", "see `hubtl doctor`")


def _short(path: Path) -> str:
    """Return a path as a person in this folder would type it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _run(number: int, why: str, words: list[str], as_json: bool) -> dict[str, Any]:
    """Run one command as typed and return its JSON, or print what it prints."""
    import io
    import json
    import shlex

    from . import app

    typed = f"hubtl {shlex.join(words)}"
    if not as_json:
        screen.say(f"\n{number}. {why}\n\n$ {typed}")
        app()(words, standalone_mode=False)
        return {}
    screen.note(f"$ {typed}")
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught):
        app()([*words, "--json"], standalone_mode=False)
    return {"command": typed, **json.loads(caught.getvalue())}


def _end(
    folder: Path, shelf: Path, documents: list[dict[str, Any]], beats: bool, as_json: bool
) -> None:
    from hubtl.registry.cache import ModelCache

    snapshot = ModelCache(shelf).snapshot("acme/debian-sections")
    if as_json:
        screen.say_json(
            {
                "folder": str(folder),
                "adapter": str(snapshot),
                "card": str(snapshot / "README.md"),
                "beats_baseline": beats,
                "steps": documents,
            }
        )
        return
    screen.say(f"\nThe adapter: {snapshot}\nIts card:    {snapshot / 'README.md'}")


def _new_folder(out: Path | None) -> Path:
    """Return a new folder: the one asked for, or the first free of hubtl-demo, hubtl-demo-2."""
    if out is not None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise BadOption(f"`{out}` holds something already", "choose another place: --out")
        folder = out
    else:
        number = 1
        folder = Path("hubtl-demo")
        while folder.exists():
            number += 1
            folder = Path(f"hubtl-demo-{number}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
