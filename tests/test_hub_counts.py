"""Counts beside a list: what fits and may be seen, of the first in its order, on both databases."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from hubtl.server.access import NOBODY
from hubtl.server.facets import LIBRARIES, facets_of
from hubtl.server.finding import Wanted
from hubtl.server.repos import Repo, find_repo
from hubtl.server.schema import repo_tags, repos

from . import serving
from .serving import TeamHubServer, make

team_hub = serving.team_hub
TASKS, DOMAINS = ("fill-mask", "text-classification", None), ("law", "science")


@pytest.fixture
def models(team_hub: TeamHubServer) -> list[dict[str, object]]:
    """Rows of 60 models of two owners, a third of them private, some as much used as others."""
    make(team_hub, "acme/one")
    make(team_hub, "ana/one")
    dice, made = random.Random(0), []
    with team_hub.hub.database.writing() as db:
        owners = {name: _owner(find_repo(db, "model", name, "one")[0]) for name in ("acme", "ana")}
        db.execute(repo_tags.delete())
        db.execute(repos.delete())
        for number in range(1, 61):
            owner, task = dice.choice([*owners]), dice.choice(TASKS)
            tags = {dice.choice(LIBRARIES[:3]), f"domain:{dice.choice(DOMAINS)}", "en"}
            row = {"id": number + 100, "owner": owner, "task": task, "tags": tags}
            row |= {"private": number % 3 == 0, "downloads": dice.randrange(4)}
            made.append(row)
            told = {key: row[key] for key in ("id", "task", "private", "downloads")}
            name = {"name": f"m{number}", "folded": f"model/{owner}/m{number}"}
            times = {"created": 0.0, "modified": 0.0, "likes": 0, "facts": {}}
            values = {"kind": "model", "owner_id": owners[owner], **told, **name, **times}
            db.execute(repos.insert().values(**values))
            db.execute(repo_tags.insert(), [{"repo_id": row["id"], "tag": tag} for tag in tags])
    return made


def _owner(repo: Repo | None) -> int:
    assert repo is not None
    return repo.owner_id


@pytest.mark.parametrize("most", [5, 500])
@pytest.mark.parametrize(
    "asked",
    [{"task": "fill-mask"}, {"tags": ("domain:law",)}, {"author": "acme"}, {"search": ("m",)},
     {"task": "text-classification", "tags": ("domain:law", LIBRARIES[0])}, {"task": "nothing"}],
    ids=str,
)  # fmt: skip
def test_counts_are_those_of_a_look_at_every_model(team_hub, models, asked, most, monkeypatch):
    monkeypatch.setattr("hubtl.server.facets.MOST_COUNTED", most)
    fit = [
        row
        for row in models
        if not row["private"]
        and asked.get("task", row["task"]) == row["task"]
        and {*asked.get("tags", ())} <= row["tags"]
        and asked.get("author", row["owner"]) == row["owner"]
    ]
    fit.sort(key=lambda row: (row["downloads"], row["id"]), reverse=True)
    first = fit[:most]
    found = facets_of(team_hub.hub.database, NOBODY, Wanted("model", sort="downloads", **asked))
    tags = Counter(tag for row in first for tag in row["tags"])
    assert (found.total, found.more) == (len(first), len(first) == most)
    assert dict(found.tasks) == Counter(row["task"] for row in first if row["task"])
    assert dict(found.owners) == Counter(row["owner"] for row in first)
    assert dict(found.libraries) == {tag: n for tag, n in tags.items() if tag in LIBRARIES}
    law = {tag.removeprefix("domain:"): n for tag, n in tags.items() if tag.startswith("domain:")}
    assert dict(found.domains) == law
