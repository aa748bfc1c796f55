"""Virtual environments for clients of other versions, made once and kept in build/."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

from .serving import BUILD, ROOT

TESTED = ("-c", str(ROOT / "constraints.txt"))  # the versions that hubtl was tested with


def environment(name: str, packages: Sequence[str], *, beside: bool = False) -> Path:
    """Return the python of an environment that has these packages, made anew where they differ.

    With `beside`, it can also import what this Python has installed, and leaves that as it is.
    """
    folder = BUILD / "environments" / name
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    noted, wanted = folder / "packages.txt", " ".join(packages)
    if noted.is_file() and noted.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making an environment with {wanted}", flush=True)
    venv.create(folder, clear=True, with_pip=True)
    if beside:
        _open(folder)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages], check=True)
    noted.write_text(wanted, encoding="utf-8")
    return python


def _open(folder: Path) -> None:
    """Let an environment import what this Python has installed, editable packages too."""
    paths = sysconfig.get_paths("venv", vars={"base": str(folder), "platbase": str(folder)})
    line = f"import site; site.addsitedir({sysconfig.get_paths()['purelib']!r})\n"
    Path(paths["purelib"], "beside.pth").write_text(line, encoding="utf-8")
