"""`hubtl demo`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hubtl.registry.errors import BadOption, NotReproduced

from . import screen
from .options import Json

if TYPE_CHECKING:
    from hubtl.plugins.hookspecs import Demo

EXAMPLES = (
    "hubtl demo",
    "hubtl demo --modality vision",
    "hubtl demo --modality speech",
    "hubtl demo --out somewhere --json",
)


def command(
    modality: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="A demo from `hubtl plugins`; its first one if none is named."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A new folder for it all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Walk the whole road on real data, offline: find, adapt, predict, publish, verify."""
    from hubtl.plugins.manager import plugins
    from hubtl.registry.facts import read_facts

    demo = plugins().demo(modality)
    plugins().task(demo.task)
    folder = _new_folder(out)
    documents = [
        _run(number, why, words, as_json)
        for number, (why, words) in enumerate(_steps(demo, folder), 1)
    ]
    beats = read_facts(folder / "adapted").beats_baseline
    _end(demo, folder, documents, beats, as_json)
    if not beats:
        raise NotReproduced("the adapted model does not beat its baseline", "see `hubtl doctor`")


def _steps(demo: Demo, folder: Path) -> list[tuple[str, list[str]]]:
    """Return why each command of the road is run, and its words."""
    adapted, hub, name = folder / "adapted", f"folder:{folder / 'shelf'}", _published(demo)
    language = ["--language", demo.language] if demo.language else []
    licence = ["--data-licence", demo.data_licence] if demo.data_licence else []
    inputs = [_short(each) if isinstance(each, Path) else each for each in demo.inputs]
    return [
        (
            f"Find a base model that suits {demo.suits}.",
            ["search", demo.words, "--task", demo.task, *language, "--limit", "3"],
        ),
        (
            f"Adapt it to {demo.learns}, and judge it on rows it has not seen.",
            ["adapt", demo.task, *_adapting(demo, folder), "--out", str(adapted)],
        ),
        ("Ask it.", ["predict", str(adapted), *inputs]),
        (
            "Publish it to the team: loaded back in a clean process, it must say the same.",
            ["publish", str(adapted), "--to", name, "--hub", hub, "--with-base", *licence],
        ),
        ("The team finds it.", ["search", "--hub", hub, "--kind", "adapter"]),
        ("Anybody proves it again, any later day.", ["verify", name, "--hub", hub]),
    ]


def _adapting(demo: Demo, folder: Path) -> list[str]:
    """Return what `adapt` is told of rows, base and recipe; writes the few rows, where so asked."""
    from hubtl.example import write_few
    from hubtl.plugins.manager import plugins

    data = demo.data
    if demo.few:
        data = folder / "few.csv"
        columns = [role.name for role in plugins().task(demo.task).roles]
        write_few(demo.data, data, demo.few, columns)
    words = [_short(data)]
    words += ["--test", _short(demo.test)] if demo.test else []
    words += ["--domain", demo.domain]
    words += ["--base", demo.base] if demo.base else []
    words += ["--recipe", demo.recipe] if demo.recipe != "probe" else []
    return words + [word for pair in demo.options.items() for word in ("--set", "=".join(pair))]


def _published(demo: Demo) -> str:
    return f"acme/{demo.model}"


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
    demo: Demo, folder: Path, documents: list[dict[str, Any]], beats: bool, as_json: bool
) -> None:
    from hubtl.registry.cache import ModelCache

    snapshot = ModelCache(folder / "shelf").snapshot(_published(demo))
    if as_json:
        screen.say_json(
            {
                "modality": demo.name,
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
