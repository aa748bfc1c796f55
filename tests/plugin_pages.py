"""The pages for plugin authors, followed as a reader does: files written, commands typed.

python -m tests.plugin_pages [NAME ...]   writes into the pages what their commands print now
"""

from __future__ import annotations

import atexit
import functools
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from .conftest import ROOT

INDEX = ROOT / "docs" / "plugins.md"
PAGES = {path.stem: path for path in (INDEX, *sorted((ROOT / "docs" / "plugins").glob("*.md")))}
WRITTEN = re.compile(r"<!-- members of ([\w.]+) -->\n.*?<!-- end -->", re.DOTALL)
FILE = re.compile(r"(?<=\n\n)`([\w./-]+)`.*\n(?:.+\n)*\n```\w+\n([\s\S]*?)^```$", re.MULTILINE)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LENT = re.compile(r"\[`([\w.]+)`\]\((\w+)\.md#")
TYPED = re.compile(r"^\$ (.*(?:\\\n.*)*)$", re.MULTILINE)
FIGURE = re.compile(r"\d+\\\.\d{2,}")  # escaped, as it stands in a pattern
BETWEEN = "\x1e"
ANY = "…"  # on a page: whatever a line has there, or lines, where it stands alone


def own_text(name: str) -> str:
    """Return a page without what is written by docs/generate.py."""
    return WRITTEN.sub("", PAGES[name].read_text("utf-8"))


def covered(name: str) -> list[str]:
    """Return the classes and hooks whose members are on a page."""
    return WRITTEN.findall(PAGES[name].read_text("utf-8"))


def files(name: str) -> dict[str, str]:
    """Return the files that a page has its reader write, those of other pages too."""
    found = FILE.findall(own_text(name))
    assert len(dict(found)) == len(found), "no file is written twice"
    lent = {path: files(page)[path] for path, page in LENT.findall(own_text(name))}
    return {**lent, **dict(found)}


def consoles(name: str, *, installing: bool) -> list[str]:
    """Return a page's console blocks: those that install the plugin, or those that do not."""
    found = CONSOLE.findall(own_text(name))
    return [each for each in found if ("pip install" in each) == installing]


def followed(name: str, above: Path, *, installing: bool) -> list[tuple[str, str]]:
    """Return a page's console blocks: what they show, and what is printed in a folder.

    What the index has its readers make, to try plugins on, is there where the page says so.
    """
    room, shown = above / "room", consoles(name, installing=installing)
    if "(../plugins.md#something-to-try-them-on)" in own_text(name):
        shutil.copytree(tried_on(), room)
    room.mkdir(exist_ok=True)
    for path, text in files(name).items():
        (room / path).write_text(text, "utf-8")
    typed = [[command.group(1) for command in TYPED.finditer(block)] for block in shown]
    printed = iter(_run([command for block in typed for command in block], room))
    now = ["".join(f"$ {each}\n{next(printed)}" for each in commands) for commands in typed]
    return list(zip(shown, now, strict=True))


def agrees(shown: str, printed: str) -> bool:
    """Return whether a page shows what is printed, apart from what it leaves open.

    A figure may be a little off: what is trained hangs on the last digits that a processor has. It
    may not be by a row of the twenty that test: that is 0.05.
    """
    lines = [re.escape(line).replace(ANY, ".*?") + "\n" for line in shown.splitlines()]
    pattern = "".join("(?:.*\n)*?" if line == ".*?\n" else line for line in lines)
    found = re.fullmatch(FIGURE.sub(r"(\\d+\\.\\d+)", pattern), printed)
    figures = [float(each.replace("\\", "")) for each in FIGURE.findall(pattern)]
    return found is not None and all(
        math.isclose(float(now), before, rel_tol=0.01, abs_tol=0.005)
        for now, before in zip(found.groups(), figures, strict=True)
    )


@functools.cache
def tried_on() -> Path:
    """Return a folder with the models and the rows that plugins are tried on, made once."""
    room = Path(tempfile.mkdtemp(prefix="hubtl-tried-on-"))
    atexit.register(shutil.rmtree, room)
    (room / "tiny.py").write_text(files("plugins")["tiny.py"], "utf-8")
    subprocess.run([sys.executable, "tiny.py"], cwd=room, check=True, capture_output=True)
    return room


def _run(commands: list[str], room: Path) -> Iterator[str]:
    """Give what each command prints, on both of its ways out, in one shell."""
    script = 'pip() { python -m pip "$@"; }\n'
    script += "\n".join(f"{command}\nprintf '{BETWEEN}'" for command in commands)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=room,
        env=_environment(room),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for printed in done.stdout.split(BETWEEN)[:-1]:
        yield "".join(f"{line.rstrip()}\n" for line in printed.splitlines())


def _environment(room: Path) -> Mapping[str, str]:
    """Return an environment with a home of its own, and a place for what pip installs."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HUBTL_", "HF_", "PIP_"))}
    site, home = room.parent / "site", room.parent / "home"
    pip = {"PIP_TARGET": str(site), "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1"}
    pip |= {"PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}  # 0: without it
    return {
        **kept,
        **pip,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]),
        "PYTHONPATH": str(site),
        "HUBTL_HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "COLUMNS": "100",
    }


def write(name: str) -> None:
    """Write into a page what its commands print, where that is not what it shows."""
    for installing in (False, True):
        with tempfile.TemporaryDirectory() as above:
            blocks = followed(name, Path(above), installing=installing)
        text = PAGES[name].read_text("utf-8")
        for shown, now in blocks:
            if not agrees(shown, now):
                text = text.replace(f"```console\n{shown}```", f"```console\n{now}```")
        PAGES[name].write_text(text, "utf-8")


if __name__ == "__main__":
    for page in sys.argv[1:] or PAGES:
        write(page)
        print(page)
