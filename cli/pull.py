"""`hubtl pull`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import hubtl

from . import screen
from .options import HubName, Json

EXAMPLES = (
    "hubtl pull sentence-transformers/all-MiniLM-L6-v2 --dry-run",
    "hubtl pull sentence-transformers/all-MiniLM-L6-v2 --to minilm",
)


def command(
    model: Annotated[
        str, typer.Argument(metavar="ID[@REV]", help="A model, at a branch, tag or commit.")
    ],
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Into this new folder.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come.")] = False,
    hub: HubName = None,
    as_json: Json = False,
) -> None:
    """Pull the files of a model that are needed, and check their hashes."""
    if dry_run:
        from hubtl.registry.weights import check_weights, needed

        entry = hubtl.show(model, hub=hub)
        check_weights(entry.id, entry.files)
        files = {path: entry.files[path].size for path in needed(entry.files)}
        if as_json:
            screen.say_json(
                {
                    "id": entry.id,
                    "revision": entry.revision,
                    "files": files,
                    "bytes": sum(files.values()),
                }
            )
            return
        for path, count in files.items():
            screen.say(f"{screen.size(count):>8}  {path}")
        screen.say(f"{screen.size(sum(files.values())):>8}  in all")
        return
    with screen.progress() as progress:
        folder = hubtl.pull(model, to=to, hub=hub, progress=progress)
    if as_json:
        screen.say_json({"id": model, "folder": str(folder)})
    else:
        screen.say(str(folder))
