"""Put together what is published: the measured files, the facts, and a card for their address."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from .evaluation import check_files
from .plugins.manager import plugins
from .proof import card_code, loading
from .registry.card import render
from .registry.entry import Entry
from .registry.facts import Facts
from .registry.fingerprint import sha256
from .registry.weights import ADAPTER_CONFIG


def stage(source: Path, facts: Facts, description: str, staged: Path) -> str:
    """Copy what is published into a new folder, with a card for its address; return the card.

    Raises NotReproduced where a copy is not what was measured.
    """
    staged.mkdir()
    copied({path: source / path for path in facts.files}, staged)
    return write_card(source, facts, description, staged)


def write_card(source: Path, facts: Facts, description: str, staged: Path) -> str:
    """Write the facts and the card into a staged folder, and return the card."""
    facts.write(staged)
    model = str(facts.address)
    card = render(
        facts,
        plugins().task(facts.task).snippet(staged, loading(facts, model)),
        name=model.partition("/")[2],
        description=description,
        more=plugins().sections(source),
    )
    (staged / "README.md").write_text(card, encoding="utf-8")
    # Once more on the copies: what is sent is what was measured, and the code is hubtl's own.
    check_files(staged, facts)
    card_code(staged, facts)
    return card


def rebased(staged: Path, facts: Facts, base: Entry) -> Facts:
    """Return the facts of the same work upon the same files under another name and commit.

    The staged adapter's configuration names them too from then on.
    """
    files = dict(facts.files)
    path = staged / ADAPTER_CONFIG
    if path.is_file():
        config = json.loads(path.read_text("utf-8"))
        config |= {"base_model_name_or_path": base.id, "revision": base.revision}
        text = json.dumps(config, indent=2, ensure_ascii=False, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")
        files[ADAPTER_CONFIG] = sha256(path)
    return dataclasses.replace(
        facts,
        base=base.id,
        base_revision=str(base.revision),
        base_copied_from={"id": facts.base, "revision": facts.base_revision},
        files=files,
    )


def copied(files: Mapping[str, Path], folder: Path) -> Path:
    """Copy files to their paths within a folder, and return it."""
    for path, source in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / path)
    return folder
