"""Refuse files that can run code, and a base that only this machine has."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ...registry.entry import Entry
from ...registry.errors import Refused
from ...registry.fingerprint import files_in
from ...registry.weights import ADAPTER_CONFIG, pickles
from ..hookspecs import hookimpl

HUB_ID = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?", re.ASCII)


@hookimpl
def before_publish(folder: Path, entry: Entry) -> None:
    """Raise Refused for a pickle anywhere in the folder, or a local path as the base."""
    found = pickles(files_in(folder))
    if found:
        raise Refused(
            f"`{found[0]}` is a pickle, which can run any code when it is loaded",
            f"remove it: rm {folder / found[0]}",
        )
    config = folder / ADAPTER_CONFIG
    named = json.loads(config.read_text("utf-8")) if config.is_file() else {}
    for base in {entry.base, named.get("base_model_name_or_path")} - {None}:
        if not HUB_ID.fullmatch(str(base)) or Path(str(base)).is_absolute():
            raise Refused(
                f"the base `{base}` is a path on this machine, where nobody else can load it",
                "adapt again from a base that a hub has: `hubtl search --kind base`",
            )
