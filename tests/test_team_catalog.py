"""A team's catalogue lies over hubtl's: added to from hubs, cut from, checked, comments kept."""

from __future__ import annotations

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hubtl.curating import add_model, changes_online, parameters, remove_model
from hubtl.registry.catalog import built_in, catalogue, read_catalogue
from hubtl.registry.catalog_text import change, with_hidden, with_model, without_model
from hubtl.registry.errors import BadOption, Refused, UnknownName
from hubtl.registry.fingerprint import files_in
from hubtl.registry.places import team_catalogue

from .conftest import MINILM

BASE = "acme/tiny-encoder"
TEAM = """\
# Our own.
version: 1
domains:
  beer: "Brewing, and what is said of it"  # since June
licences:
  acme-1: {name: Ours, commercial: true, derivatives: true, share_alike: true, notice: true, url: x}
models:
  # The first one.
  - id: acme/one
    licence: acme-1
    tasks: [text-classification]
    languages: [en]
    domains: [beer, legal]
    about: "One that is for breweries"
    source: {what: "acme.example/one", date: 2026-01-01}
  # The last one.
# After all.
hidden: [google-bert/bert-base-uncased]
"""
TWO = """\
  - id: acme/two
    licence: mit
    tasks: [text-classification]
    languages: []
    domains: [legal]
    about: Two, for courts
    source: {what: acme.example/two, date: '2026-01-02'}
"""
FIELDS = {
    "id": "acme/two",
    "licence": "mit",
    "tasks": ["text-classification"],
    "languages": [],
    "domains": ["legal"],
    "about": "Two, for courts",
    "source": {"what": "acme.example/two", "date": "2026-01-02"},
}


@pytest.fixture(autouse=True)
def fresh():
    """No catalogue of another test's home."""
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


@pytest.fixture
def licensed(shelf, tiny_folders):
    """The shelf, whose tiny encoder has a card with a licence, a task and a domain."""
    folder = shutil.copytree(tiny_folders[BASE], Path("licensed"))
    (folder / "README.md").write_text(
        "---\nlicense: mit\npipeline_tag: text-classification\nlanguage: en\n"
        "tags: [domain:legal]\n---\n"
    )
    shelf.cache.add(BASE, files_in(folder))
    return shelf


def written(text):
    path = Path("team.yaml")
    path.write_text(text)
    return path


def test_a_teams_catalogue_lies_over_hubtls():
    known = read_catalogue(written(TEAM))
    assert known.entry("acme/one").licence == "acme-1"
    assert known.licences["mit"] and known.domains["legal"] and known.domains["beer"]
    assert known.entry("google-bert/bert-base-uncased") is None
    assert len(known.entries) == len(built_in().entries)
    assert [known.origin(each) for each in ("acme/one", MINILM)] == ["team.yaml", "hubtl"]


def test_of_one_id_the_teams_counts_and_stands_where_hubtls_stood():
    at = [each.id for each in built_in().entries].index(MINILM)
    known = read_catalogue(written(TEAM.replace("acme/one", MINILM)))
    assert (known.entries[at].id, known.entries[at].domains) == (MINILM, ("beer", "legal"))
    assert known.origin(MINILM) == "team.yaml"


def test_one_that_stands_alone_replaces_hubtls():
    alone = TEAM.replace("version: 1", "version: 1\nalone: true\ndate: 2026-01-01")
    with pytest.raises(BadOption, match="`legal` is not in `domains`"):
        read_catalogue(written(alone))
    known = read_catalogue(written(alone.replace(", legal", "")))
    assert [each.id for each in known.entries] == ["acme/one"] and list(known.domains) == ["beer"]


def test_an_entry_is_put_in_and_taken_out_and_comments_stay():
    added = with_model(TEAM, FIELDS)
    assert added == TEAM.replace("  # The last one.\n", f"{TWO}  # The last one.\n")
    assert without_model(added, "ACME/Two") == TEAM
    changed = with_model(added, {**FIELDS, "about": "Two, and better"})
    assert changed == added.replace("Two, for courts", "Two, and better")
    with pytest.raises(BadOption, match="line 18: `hidden` is written on one line"):
        with_hidden(TEAM, MINILM)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\n",
        "version: 1",
        "version: 1\nmodels: []  # none yet\n",
        "version: 1\nmodels:\nhidden:\n- a/b\n",
        "models:\n- id: acme/two\n  notes: |\n    Long,\n    and more\n\nversion: 1\n",
        f"version: 1\nmodels:\n{TWO}",
    ],
)
def test_however_a_list_is_written_one_is_put_in_and_out_again(text):
    added = with_model(text, FIELDS)
    assert f"models:\n{TWO}" in added.replace("  # none yet", "").replace("\n- id", "\n  - id") or (
        "\n- id: acme/two\n  licence: mit" in added
    )
    assert "acme/two" not in without_model(added, "acme/two")
    assert with_hidden(with_hidden("version: 1\n", "a/b"), "c/d").endswith("  - a/b\n  - c/d\n")


def test_a_base_is_added_from_a_hub_pinned_and_hashed(licensed):
    team_catalogue().parent.mkdir(parents=True, exist_ok=True)
    team_catalogue().write_text(TEAM)
    entry, path = add_model(BASE, hub=licensed.name)
    there = licensed.entry(BASE)
    assert path == team_catalogue() and entry == catalogue().entry(BASE)
    assert (entry.hub, entry.revision, entry.licence) == (licensed.name, there.revision, "mit")
    assert (entry.tasks, entry.domains, entry.languages) == (
        ("text-classification",), ("legal",), ("en",),
    )  # fmt: skip
    assert entry.params == parameters(
        licensed.cache.snapshot(BASE, there.revision) / "model.safetensors"
    )
    assert entry.architecture == "bert" and entry.size_bytes == there.size_bytes
    assert all(file.sha256 for file in entry.files.values())
    assert entry.source == (f"{licensed.address(BASE)} at {there.revision}",)
    assert path.read_text().startswith(TEAM.partition("  # The last one.")[0])
    assert changes_online([entry]) == []


def test_what_a_hub_tells_otherwise_is_told(licensed):
    entry, _ = add_model(BASE, hub=licensed.name)
    weights = dataclasses.replace(entry.files["model.safetensors"], sha256="0" * 64)
    files = {**entry.files, "model.safetensors": weights, "none.json": weights}
    odd = dataclasses.replace(entry, files=files, licence="apache-2.0")
    gone = dataclasses.replace(entry, id="acme/gone")
    away = dataclasses.replace(entry, hub="folder:/none/such")
    folder = shutil.copytree(Path("licensed"), Path("newer"))
    (folder / "NEWS.txt").write_text("news")
    now = licensed.cache.add(BASE, files_in(folder))
    told = [(each.what, each.grave) for each in changes_online([odd, gone, away])]
    assert told == [
        ("`none.json` is gone", True),
        ("`model.safetensors` has other bytes", True),
        ("licence mit now, and apache-2.0 here", True),
        (f"moved on to {now[:7]}", False),
        (f"gone: `acme/gone` is not a model in {licensed.cache.root} that hubtl knows", True),
        ("not checked: there is no folder `/none/such`", False),
    ]


def test_one_of_the_team_is_removed_and_one_of_hubtls_is_hidden(licensed):
    add_model(BASE, hub=licensed.name)
    assert remove_model(BASE)[0] == "removed"
    assert remove_model(MINILM)[0] == "hidden"
    assert catalogue().entry(MINILM) is None and catalogue().entry(BASE) is None
    with pytest.raises(UnknownName, match="is not in the catalogue"):
        remove_model(MINILM)


def test_what_has_no_licence_no_domain_or_no_known_licence_stays_out(shelf, licensed):
    with pytest.raises(UnknownName, match="`beer` is not a domain"):
        add_model(BASE, hub=shelf.name, domains=["beer"])
    card = Path("licensed", "README.md")
    card.write_text(card.read_text().replace("domain:legal", "nothing"))
    shelf.cache.add(BASE, files_in(Path("licensed")))
    with pytest.raises(BadOption, match="of which domain is"):
        add_model(BASE, hub=shelf.name)
    card.write_text(card.read_text().replace("license: mit", "license: beerware"))
    shelf.cache.add(BASE, files_in(Path("licensed")))
    with pytest.raises(BadOption, match="nothing is known of the licence `beerware`"):
        add_model(BASE, hub=shelf.name)
    card.write_text(card.read_text().replace("license: beerware\n", ""))
    shelf.cache.add(BASE, files_in(Path("licensed")))
    with pytest.raises(Refused, match=f"`{BASE}` states no licence"):
        add_model(BASE, hub=shelf.name, domains=["legal"])
    assert not team_catalogue().exists()


def test_several_add_at_once_and_what_would_be_wrong_is_not_written():
    path = written(TEAM)

    def add(number):
        change(path, lambda text: with_model(text, {**FIELDS, "id": f"acme/n{number}"}))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(8)))
    assert len(read_catalogue(path).entries) == len(built_in().entries) + 8
    before = path.read_text()
    with pytest.raises(BadOption, match="would have a mistake: line .*, models.9.licence: `no` is"):
        change(path, lambda text: with_model(text, {**FIELDS, "id": "a/b", "licence": "no"}))
    assert path.read_text() == before


def test_the_commands_as_typed(licensed, hubtl_cli):
    said = hubtl_cli(f"catalog add {BASE} --hub {licensed.name} --domain news --json")
    assert said.json["domains"] == ["news"] and said.json["file"] == str(team_catalogue())
    listed = {each["id"]: each["origin"] for each in hubtl_cli("catalog --json").json["entries"]}
    assert (listed[BASE], listed[MINILM]) == (str(team_catalogue()), "hubtl")
    said = hubtl_cli(f"show {BASE}")  # on the hub that the team's catalogue names
    assert f"your team's, {team_catalogue()}" in said.out
    said = hubtl_cli("catalog check --online")
    assert said.out == f"{team_catalogue()} is a good catalogue\n"
    said = hubtl_cli(f"catalog remove {MINILM}")
    assert said.out == (
        f"{MINILM} is hidden: take it out of `hidden` in {team_catalogue()} to see it again\n"
    )
