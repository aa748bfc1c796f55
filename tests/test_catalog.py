"""The catalogue: every entry sourced, every mistake told by line and field."""

from __future__ import annotations

import re

import pytest

from hubtl.registry.catalog import CATALOG, catalogue, mistakes_in, read_catalogue
from hubtl.registry.errors import BadOption

GOOD = """\
version: 1
date: 2026-01-01
domains:
  legal: "Contracts and courts"
licences:
  mit: {name: MIT, commercial: true, derivatives: true, share_alike: false, notice: true, url: x}
models:
  - id: acme/one
    licence: mit
    tasks: [text-classification]
    languages: [en]
    domains: [legal]
    about: "One that is for contracts"
    source: {what: "acme.example/one", date: 2026-01-01}
"""


def test_the_catalogue_that_ships_has_no_mistake():
    assert list(mistakes_in(CATALOG.read_text("utf-8"))) == []


def test_it_covers_text_vision_and_speech_and_every_domain_of_its_vocabulary():
    entries = catalogue().entries
    heard = {"audio-classification", "automatic-speech-recognition"}
    assert len(entries) >= 100
    assert {domain for entry in entries for domain in entry.domains} == set(catalogue().domains)
    assert sum("image-classification" in entry.tasks for entry in entries) >= 20
    assert sum(not heard.isdisjoint(entry.tasks) for entry in entries) >= 15


def test_every_entry_names_a_source_and_its_date():
    for entry in catalogue().entries:
        assert all(len(what) > 5 for what in entry.source), entry.id
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry.date or ""), entry.id


def test_a_starter_model_is_pinned_to_a_commit_and_to_the_hash_of_every_file():
    starters = [entry for entry in catalogue().entries if entry.hub == "starter"]
    assert starters
    for entry in starters:
        assert re.fullmatch("[0-9a-f]{40}", entry.revision or "")
        assert all(file.sha256 for file in entry.files.values())


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("licence: mit", "licence: miit", "line 9, models.0.licence: `miit` is not in `licences`"),
        (
            "domains: [legal]",
            "domains: [law]",
            "line 12, models.0.domains: `law` is not in `domains`",
        ),
        (
            "about: \"One that is for contracts\"",
            "abuot: x",
            "line 13, models.0.abuot: Additional properties are not allowed",
        ),
        ("version: 1", "version: 2", "line 1, version: 1 was expected"),
        ("licence: mit", "licence: [", "line 11: expected"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_line_and_field(good, bad, told):
    text = (
        GOOD.replace(f"    {good}\n", f"    {bad}\n")
        if "version" not in good
        else GOOD.replace(good, bad)
    )
    assert text != GOOD
    assert any(mistake.startswith(told) for mistake in mistakes_in(text)), list(mistakes_in(text))


def test_an_id_told_twice_is_a_mistake():
    entry = GOOD.partition("models:\n")[2]
    text = GOOD + entry.replace("acme/one", "ACME/One")
    assert "line 15, models.1.id: `ACME/One` is there twice" in list(mistakes_in(text))


def test_a_catalogue_of_ones_own_is_checked_when_it_is_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("licence: mit", "licence: none"))
    with pytest.raises(BadOption, match="mine.yaml, line 9, models.0.licence: `none` is not in"):
        read_catalogue(path)


def test_a_good_one_replaces_hubtls_own(hubtl_cli, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    said = hubtl_cli("search --json", HUBTL_CATALOG=str(path))
    assert "acme/one" in [entry["id"] for entry in said.json["entries"]]
    assert hubtl_cli(f"catalog --check {path}").out == f"{path} is a good catalogue\n"
