"""A Python that has the public libraries and no hubtl, to run what stands on cards."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import hubtl

from .serving import TeamHubServer


def plain_python(folder: Path) -> Path:
    """Return the Python of a new environment in a folder that borrows this one's libraries."""
    venv.create(folder, with_pip=False)
    scripts = "Scripts" if os.name == "nt" else "bin"
    python = folder / scripts / Path(sys.executable).name
    # The libraries are borrowed by their folder; hubtl is not in it, for it is installed editable.
    inside = next(folder.rglob("site-packages"))
    (inside / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    lacks = subprocess.run([python, "-Ic", "import hubtl"], capture_output=True, text=True)
    assert "ModuleNotFoundError: No module named 'hubtl'" in lacks.stderr
    return python


def first_block(card: str) -> str:
    """Return the first Python block of a card."""
    found = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert found
    return found[1]


def publish(hub: TeamHubServer, folder: Path, room: Path) -> str:
    """Publish an adapted folder as `acme/by-…`, and return its card by the Hub's client."""
    name = f"acme/by-{folder.name}"
    assert hubtl.publish(folder, name, hub=hub.url).verified
    asked = {"repo_id": name, "filename": "README.md"}
    path = hub.api("ana").hf_hub_download(**asked, local_dir=room / folder.name)
    return Path(path).read_text()


def said_by_cards(
    python: Path,
    cards: Sequence[str],
    inputs: Sequence[Sequence[str]],
    environment: Mapping[str, str],
) -> list[list[Any]]:
    """Return what the code of each card predicts for its inputs, one card after the other."""
    calls = [[("predict", [some])] for some in inputs]
    return [said for (said,) in asked_of_cards(python, cards, calls, environment)]


def asked_of_cards(
    python: Path,
    cards: Sequence[str],
    calls: Sequence[Sequence[tuple[str, Sequence[Any]]]],
    environment: Mapping[str, str],
) -> list[list[Any]]:
    """Return what functions that the code of each card defines return, each by its arguments."""
    program = (
        "import json, sys\n"
        "found = []\n"
        "for code, calls in json.load(sys.stdin):\n"
        "    names = {}\n"
        "    exec(code, names)\n"
        "    found.append([names[name](*arguments) for name, arguments in calls])\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run(
        [python, "-Ic", program],
        input=json.dumps(list(zip(map(first_block, cards), calls, strict=True))),
        env=dict(environment),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[Any]] = json.loads(done.stdout)
    return found
