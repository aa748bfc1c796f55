"""What is told of an exported model: `export.json`, and a card that makes no claim of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .card import Section, headline
from .facts import Facts

FILE = "export.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Made:
    """What an exported folder is, and what it was made from.

    `about` says what the form is, `library` what loads it; `commit` is that of the adapter, None
    where it was made from a folder. `compared` says on which rows it was asked what the adapter
    says, and how near it came.
    """

    form: str
    about: str
    library: str
    facts: Facts
    commit: str | None
    compared: Mapping[str, Any]
    versions: Mapping[str, str]
    files: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return what `export.json` holds; no row, and no path of this machine."""
        facts = self.facts
        adapter = {"id": facts.address, "commit": self.commit, "files": dict(facts.files)}
        return {
            "format": FORMAT,
            "export": self.form,
            "task": facts.task,
            "labels": list(facts.labels),
            "inputs": dict(facts.inputs),
            "adapter": adapter,
            "base": {"id": facts.base, "commit": facts.base_revision},
            "licence": facts.licence,
            "lineage": [dict(each) for each in facts.lineage],
            "compared": dict(self.compared),
            "versions": dict(self.versions),
            "files": dict(self.files),
        }

    def write(self, folder: Path) -> None:
        """Write `export.json` into a folder."""
        text = json.dumps(self.as_json(), indent=1, ensure_ascii=False, sort_keys=True)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def render_exported(made: Made, snippet: str, *, name: str) -> str:
    """Return the card of an exported folder: how to use it, how it was compared, its making."""
    facts = made.facts
    parents = [facts.base, *([str(facts.address)] if made.commit else [])]
    matter = {
        "language": list(facts.languages),
        "license": facts.licence,
        "library_name": made.library,
        "pipeline_tag": facts.task,
        "base_model": parents[0] if len(parents) == 1 else parents,
        "tags": ["hubtl", made.form, *([f"domain:{facts.domain}"] if facts.domain else [])],
    }
    kept = {key: value for key, value in matter.items() if value not in (None, [])}
    sections = (
        Section("Use it", f"Run in this folder:\n\n```python\n{snippet.strip()}\n```"),
        Section("Compared", _compared(made.compared)),
        Section("How it was made", _made(made)),
    )
    body = "\n\n".join(f"## {section.title}\n\n{section.text}" for section in sections)
    front = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n# {name}\n\n{_intro(made)}\n\n{body}\n"


def _intro(made: Made) -> str:
    return (
        f"The adapter {_adapter(made)} as {made.about}. Measured of the adapter: "
        f"{headline(made.facts)}"
    )


def alike(compared: Mapping[str, Any]) -> str:
    """Return in words how near the labels and logits came to the adapter's."""
    ties = f", {compared['near_ties']} near ties apart" if compared["near_ties"] else ""
    if not compared["widest"]:
        return f"same labels{ties}, the same logits"
    return f"same labels{ties}, logits within {compared['widest']:.1g} of their row's largest"


def _compared(compared: Mapping[str, Any]) -> str:
    return (
        f"In a process without hubtl, the block above says on {compared['on']} what the adapter "
        f"says: {alike(compared)} ({compared['tolerance']:g} is allowed)."
    )


def _made(made: Made) -> str:
    facts = made.facts
    through = "".join(
        f"; upon `{each['id']}` at `{each['revision']}`, licence {each['licence']}"
        for each in facts.lineage[:-1]
    )
    lines = [
        f"- Adapter: {_adapter(made)}{through}",
        f"- Base: [{facts.base}](https://huggingface.co/{facts.base}) at `{facts.base_revision}`",
        f"- Licence: {facts.licence or 'unknown'}, as of the adapter",
        f"- Inputs: {facts.inputs['how']}",
        *([f"- Labels: {', '.join(f'`{x}`' for x in facts.labels)}"] if facts.labels else []),
        "- Versions: " + ", ".join(f"{name} {version}" for name, version in made.versions.items()),
    ]
    return "\n".join(lines)


def _adapter(made: Made) -> str:
    where = f"at `{made.commit}`" if made.commit else "(not published)"
    return f"`{made.facts.address}` {where}"
