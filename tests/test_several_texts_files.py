"""Texts that have several labels at once: what is published of them says so without hubtl."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import hubtl
from hubtl.predictions import read_predictions
from hubtl.transfer.several import SOME_CLASSES

from . import serving, test_several_texts
from .plain import plain_python, publish, said_by_cards
from .serving import TOKENS
from .test_several_texts import ENCODERS, adapted

notes = test_several_texts.notes
team_hub = serving.team_hub


@pytest.mark.parametrize("base", ENCODERS)
def test_texts_of_several_labels_say_the_same_as_a_graph(base, shelf, notes):
    folder = adapted(
        notes,
        shelf.name,
        base,
        recipe="lora",
        options={"several": "true", "rate": "0.01", "epochs": "2"},
    )
    done = hubtl.export(folder, format="onnx", out="graph", hub=shelf.name)
    assert done.made.compared["other_labels"] == 0
    assert "def choose(row):" in Path("graph/README.md").read_text()


def test_the_cards_say_in_a_python_without_hubtl_what_was_measured(
    team_hub, tiny_folders, notes, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_TOKEN", TOKENS["ana"])
    for base in ENCODERS:
        team_hub.api("ana").create_repo(base)
        team_hub.api("ana").upload_folder(repo_id=base, folder_path=tiny_folders[base])
    made = [adapted(notes, team_hub.url, base, out=base[5:]) for base in ENCODERS]
    measured = [read_predictions(folder) for folder in made]
    said = said_by_cards(
        plain_python(tmp_path / "plain"),
        [publish(team_hub, folder, tmp_path) for folder in made],
        [each.inputs for each in measured],
        {**os.environ, "HF_ENDPOINT": team_hub.url},
    )
    assert [[SOME_CLASSES.said(each) for each in one] for one in said] == [
        list(each.predicted) for each in measured
    ]
