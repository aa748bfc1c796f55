"""What a label is: one class, several at once, or a text; each is read, learned and judged."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from hubtl.plugins.speech.transcripts import normaliser
from hubtl.registry.errors import BadOption
from hubtl.transfer.agreement import compare
from hubtl.transfer.completion import Completion
from hubtl.transfer.features import Labelled
from hubtl.transfer.goal import ONE_CLASS, Goal, OneClass
from hubtl.transfer.measure import best, gain, measure, values
from hubtl.transfer.number import Numbers
from hubtl.transfer.several import SOME_CLASSES, SomeClasses
from hubtl.transfer.spans import Spans
from hubtl.transfer.transcript import Transcript

from .test_project import SOURCES

DICE = np.random.default_rng(5)
NAMES = ("cat", "dog", "owl")


def several(rows: int) -> list[str]:
    chosen = DICE.random((rows, len(NAMES))) < 0.4
    return [SOME_CLASSES.said([n for n, c in zip(NAMES, row, strict=True) if c]) for row in chosen]


TRUE = several(200)
GUESS = [t if DICE.random() < 0.6 else g for t, g in zip(TRUE, several(200), strict=True)]
TEXT = Transcript(normaliser("basic"))


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        (" dog | cat ", "cat|dog"),
        ('["dog", "cat"]', "cat|dog"),
        ("owl", "owl"),
        ("none", "none"),
        ("[]", "none"),
        ("cat|cat", "cat"),
    ],
)
def test_several_classes_are_written_one_way(cell, label):
    assert SOME_CLASSES.read(cell) == label
    assert SOME_CLASSES.said(SOME_CLASSES.shown(label)) == label


@pytest.mark.parametrize("cell", ["[1, 2]", "[cat", "[[]]"])
def test_what_is_no_list_of_classes_is_no_label(cell):
    with pytest.raises(ValueError):
        SOME_CLASSES.read(cell)


def test_metrics_of_several_classes_are_scikit_learns():
    told = MultiLabelBinarizer().fit([NAMES])
    a, b = (told.transform([SOME_CLASSES.shown(x) for x in part]) for part in (TRUE, GUESS))
    assert values(TRUE, GUESS, SOME_CLASSES.metrics) == {
        "f1": pytest.approx(f1_score(a, b, average="micro")),
        "macro_f1": pytest.approx(f1_score(a, b, average="macro")),
        "accuracy": pytest.approx(accuracy_score(a, b)),
    }


def test_a_head_for_several_classes_tells_each_by_itself():
    targets = SOME_CLASSES.targets(TRUE, NAMES)
    features = (targets * 2 - 1 + 0.1 * DICE.normal(size=targets.shape)).astype(np.float32)
    rows = Labelled(features, np.arange(len(TRUE)), targets, np.ones(len(TRUE)))
    head = SOME_CLASSES.fit_head(rows, len(NAMES), folds=3, seed=0)
    logits = torch.from_numpy(features) @ head.weight.T + head.bias
    assert ((logits > 0).numpy() == targets.astype(bool)).all()
    network = SimpleNamespace(head=lambda x: x @ head.weight.T + head.bias)
    losses = SOME_CLASSES.losses(network, torch.from_numpy(features), targets, torch.ones(3))
    assert losses.shape == (len(TRUE),) and float(losses.max()) < 0.5


def test_a_logit_next_to_zero_is_a_tie_of_several_classes():
    logits = [[2.0, -1.0], [0.00005, -3.0]]
    found = compare(["cat", "cat"], logits, ["cat", "none"], logits, SOME_CLASSES)
    assert (found.holds, found.near_ties, found.other_labels) == (True, 1, 0)


@pytest.mark.parametrize(
    ("true", "said", "wer", "cer"),
    [
        ("Please hold.", "please hold", 0.0, 0.0),
        ("one two three four", "one too three", 2 / 4, 6 / 18),
        ("ja", "", 1.0, 1.0),
        ("hello", "hello hello ...", 1.0, 6 / 5),
    ],
)
def test_error_rates_are_edits_by_the_length_of_the_truth(true, said, wer, cer):
    found = values([true], [said], TEXT.metrics)
    assert found == {"wer": pytest.approx(wer), "cer": pytest.approx(cer)}


def test_error_rates_of_many_texts_weigh_each_word_alike():
    true, said = ["a b c d e f g h i", "x"], ["a b c d e f g h i", "y"]
    assert values(true, said, TEXT.metrics)["wer"] == pytest.approx(1 / 10)
    found = measure(true * 50, said * 50, TEXT.metrics)["wer"]
    assert found["low"] < 1 / 10 < found["high"]


def test_less_is_better_for_error_rates():
    true, ours, theirs = ["a b"] * 9, ["a b"] * 9, ["a c"] * 9
    assert gain(true, ours, theirs, TEXT.metrics)["low"] == 0.5
    assert best({"base": {"wer": 0.4}, "other": {"wer": 0.2}}, "wer") == "other"
    assert best({"base": {"f1": 0.4}, "other": {"f1": 0.2}}, "f1") == "base"


@pytest.mark.parametrize(
    ("name", "text", "alike"),
    [
        ("basic", "Ça va, l'été ?", "ça va l été"),
        ("english", "It's twenty-one ...", "it is 21"),
        ("none", "As it is.", "As it is."),
    ],
)
def test_a_normaliser_makes_texts_alike(name, text, alike):
    assert normaliser(name)(text) == alike


def test_no_linear_head_makes_a_text():
    rows = Labelled(np.zeros((1, 1), np.float32), np.arange(1), np.zeros(1, int), np.ones(1))
    with pytest.raises(BadOption, match="no linear head"):
        TEXT.fit_head(rows, 0, folds=2, seed=0)


def kinds_of(goal: type) -> set[type]:
    return {goal, *(kind for each in goal.__subclasses__() for kind in kinds_of(each))}


def test_nobody_asks_of_which_kind_a_goal_is():
    kinds = kinds_of(Goal)
    assert {OneClass, SomeClasses, Numbers, Spans, Transcript, Completion} <= kinds
    names = "|".join(kind.__name__ for kind in kinds)
    asked = re.compile(rf"isinstance\([^)]*\b({names})\b")
    assert [path for path in SOURCES if asked.search(path.read_text("utf-8"))] == []


def test_a_goal_need_say_only_how_it_differs():
    assert (SOME_CLASSES.ordered, SOME_CLASSES.whole, SOME_CLASSES.unit) == (False, True, 1.0)
    assert SOME_CLASSES.likeliest(np.array([[1.0, -1.0, 2.0]]), NAMES) == ["cat|owl"]
    assert ONE_CLASS.likeliest(np.array([[1.0, -1.0, 2.0]]), NAMES) == ["owl"]
    assert SOME_CLASSES.of(["cat"], "animal") is SOME_CLASSES.recalled({}, NAMES) is SOME_CLASSES
    a, b, both = SOME_CLASSES.counted(["cat|dog"], ["dog|owl"], NAMES)
    assert (a.tolist(), b.tolist(), both.tolist()) == ([[1, 1, 0]], [[0, 1, 1]], [[0, 1, 0]])
