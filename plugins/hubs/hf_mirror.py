"""A base put on a hub that gives its own commit ids: under its owner's name, the same files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...registry.entry import Entry
from ...registry.errors import Refused, UnknownName
from ...registry.fingerprint import files_in, is_same

if TYPE_CHECKING:
    from .hf import HuggingFace

WRITE = "ask its owner for the role `write`, or for the base itself: `hubtl hub import`"


def mirror_base(
    hub: HuggingFace, entry: Entry, folder: Path, owner: str, *, private: bool
) -> Entry:
    """Return the base as the hub has it from now on; raises Refused where its name is taken.

    What is there already with the same files is not sent again.
    """
    from huggingface_hub import CommitOperationAdd

    model = f"{owner}/{entry.id.rpartition('/')[2]}"
    files = files_in(folder)
    try:
        there = hub.entry(model)
    except UnknownName:
        with hub.told(model, forbidden=WRITE):
            hub.api.create_repo(model, private=private)
        there = hub.entry(model)
    held = {path: file for path, file in there.files.items() if path != ".gitattributes"}
    if held.keys() == files.keys() and all(is_same(files[path], held[path]) for path in held):
        return there
    if held:
        raise Refused(
            f"`{model}` is on {hub.endpoint}, and has other files than `{entry.id}` at "
            f"{str(entry.revision)[:7]}",
            f"who looks after a team hub puts that there: `hubtl hub import {entry.id}`",
        )
    with hub.told(model, forbidden=WRITE):
        commit = hub.api.create_commit(
            model,
            [CommitOperationAdd(path, at) for path, at in files.items()],
            commit_message=f"{entry.id} at {entry.revision}",
            parent_commit=there.revision,
        )
    return hub.entry(model, str(commit.oid))
