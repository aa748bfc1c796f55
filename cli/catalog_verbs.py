"""`hubtl catalog add`, `remove` and `check`: the team's own catalogue, laid over hubtl's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from hubtl.registry.errors import BadData, UnknownName

from . import screen
from .hub.command import Command
from .options import HubName, Json

File = Annotated[
    Path | None,
    typer.Option("--to", metavar="FILE", help="Another file than the setting `catalog` names."),
]


def add(
    model: Annotated[str, typer.Argument(metavar="ID[@REV]", help="A base of a hub.")],
    hub: HubName = None,
    domain: Annotated[
        list[str] | None,
        typer.Option(help="From `hubtl catalog --domains`, if its hub tells none. Repeatable."),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(help="A pipeline tag, in place of what its hub tells. Repeatable."),
    ] = None,
    about: Annotated[str, typer.Option(help="A sentence on it.")] = "",
    to: File = None,
    as_json: Json = False,
) -> None:
    """Add a base to your team's catalogue: pinned, hashed, with its licence as its hub tells it."""
    from hubtl.curating import add_model

    with screen.progress() as progress:
        more = {"hub": hub, "about": about, "to": to, "progress": progress}
        entry, path = add_model(model, domains=domain or (), tasks=task or (), **more)  # type: ignore[arg-type]
    files = {path: {"size": f.size, "sha256": f.sha256} for path, f in entry.files.items()}
    if as_json:
        screen.say_json({**entry.as_json(), "files": files, "file": str(path)})
        return
    told = (entry.licence or "", ", ".join(entry.domains), f"{len(files)} files")
    screen.say(f"{entry.id} at {str(entry.revision)[:7]} is in {path}: {'; '.join(told)}")


def remove(
    model: Annotated[str, typer.Argument(metavar="ID", help="A model of the catalogue.")],
    to: File = None,
    as_json: Json = False,
) -> None:
    """Take a model out of your team's catalogue, or hide one that hubtl's has."""
    from hubtl.curating import remove_model

    done, path = remove_model(model, to=to)
    if as_json:
        screen.say_json({"id": model, "done": done, "file": str(path)})
    elif done == "hidden":
        screen.say(f"{model} is hidden: take it out of `hidden` in {path} to see it again")
    else:
        screen.say(f"{model} is no longer in {path}")


def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A catalogue; your team's, or else hubtl's."),
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Ask each model's hub: is it there, and the same?")
    ] = False,
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Check a catalogue: its form, and with `--online` or `--hub` each model on its hub."""
    from hubtl.registry.catalog import CATALOG, below_of, load, mistakes_in
    from hubtl.registry.places import team_catalogue

    path = file or (team_catalogue() if team_catalogue().is_file() else CATALOG)
    if not path.is_file():
        raise UnknownName(f"there is no file `{path}`", "check the path")
    text = path.read_text(encoding="utf-8", errors="replace")
    below = None if path.resolve() == CATALOG else below_of(text)
    mistakes = list(mistakes_in(text, below))
    told: list[dict[str, Any]] = []
    if (online or hub) and not mistakes:
        from hubtl.curating import changes_online

        with screen.progress() as progress:
            changes = changes_online(load(text).entries, hub=hub, progress=progress)
        told = [asdict(each) for each in changes]
    if as_json:
        screen.say_json({"file": str(path), "mistakes": mistakes, "changes": told})
    grave = mistakes + [f"{each['id']}: {each['what']}" for each in told if each["grave"]]
    for each in told:
        if not each["grave"]:
            screen.note(f"{each['id']}: {each['what']}")
    if grave:
        lines = "\n".join(f"  {each}" for each in grave)
        count = "a mistake" if len(grave) == 1 else f"{len(grave)} mistakes"
        raise BadData(f"`{path}` has {count}:\n{lines}", "mend this, then check again")
    if not as_json:
        screen.say(f"{path} is a good catalogue")


VERBS: Mapping[str, Command] = {
    "add": Command(
        add,
        (
            "hubtl catalog add intfloat/multilingual-e5-small --hub hf --domain support",
            "hubtl catalog add acme/legal-bert@v2 --hub folder:shelf --to team.yaml",
        ),
    ),
    "remove": Command(remove, ("hubtl catalog remove intfloat/multilingual-e5-small",)),
    "check": Command(check, ("hubtl catalog check", "hubtl catalog check --online")),
}
