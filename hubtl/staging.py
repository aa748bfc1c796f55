"""Put together what is published: the measured files, the facts, and a card for their address."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from .evaluation import check_files
from .plugins.manager import plugins
from .proof import card_code, loading
from .registry.card import render
from .registry.facts import Facts


def stage(source: Path, facts: Facts, description: str, staged: Path) -> str:
    """Copy what is published into a new folder, with a card for its address; return the card.

    Raises NotReproduced where a copy is not what was measured.
    """
    staged.mkdir()
    copied({path: source / path for path in facts.files}, staged)
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


def copied(files: Mapping[str, Path], folder: Path) -> Path:
    """Copy files to their paths within a folder, and return it."""
    for path, source in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / path)
    return folder
