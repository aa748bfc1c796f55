"""Texts whose labels are numbers: what is published of them says so without hubtl."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import hubtl
from hubtl.predictions import read_predictions
from hubtl.transfer.number import NUMBERS

from . import serving, test_numbers_of_texts
from .plain import plain_python, publish, said_by_cards
from .serving import TOKENS
from .test_numbers_of_texts import ENCODERS, adapted

reviews = test_numbers_of_texts.reviews
team_hub = serving.team_hub


@pytest.mark.parametrize("form", ["merged", "onnx"])
@pytest.mark.parametrize("base", ENCODERS)
def test_numbers_are_the_same_in_another_form(base, form, shelf, reviews):
    options = {"numbers": "true", "rate": "0.01", "epochs": "2"}
    folder = adapted(reviews, shelf.name, base, recipe="lora", options=options)
    done = hubtl.export(folder, format=form, out="other", hub=shelf.name)
    assert done.made.compared["other_labels"] == 0 and done.made.compared["number"]
    assert "return row[0]" in Path("other/README.md").read_text()


def test_the_cards_say_in_a_python_without_hubtl_what_was_measured(
    team_hub, tiny_folders, reviews, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_TOKEN", TOKENS["ana"])
    for base in ENCODERS:
        team_hub.api("ana").create_repo(base)
        team_hub.api("ana").upload_folder(repo_id=base, folder_path=tiny_folders[base])
    made = [adapted(reviews, team_hub.url, base, out=base[5:]) for base in ENCODERS]
    measured = [read_predictions(folder) for folder in made]
    said = said_by_cards(
        plain_python(tmp_path / "plain"),
        [publish(team_hub, folder, tmp_path) for folder in made],
        [each.inputs for each in measured],
        {**os.environ, "HF_ENDPOINT": team_hub.url},
    )
    for folder in made:
        again = hubtl.verify(f"acme/by-{folder.name}", data=reviews, hub=team_hub.url)
        assert again.metric["same_rows"]
    for numbers, each in zip(said, measured, strict=True):
        assert numbers == pytest.approx([NUMBERS.shown(label) for label in each.predicted])
