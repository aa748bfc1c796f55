"""A model says how sure it is as often as it is right; and what is kept of how it learnt."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import hubtl
from hubtl.plugins.manager import plugins
from hubtl.registry.card import shift_line
from hubtl.registry.entry import Entry
from hubtl.registry.facts import read_facts
from hubtl.transfer.calibration import calibration, log_likely
from hubtl.transfer.feed import Whole
from hubtl.transfer.goal import ONE_CLASS
from hubtl.transfer.measure import apart, difference, measure
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.several import SOME_CLASSES
from hubtl.transfer.split import Example
from hubtl.transfer.start import Session, start
from hubtl.transfer.temperature import soften, temper, temperature_of
from hubtl.transfer.trunk import Shelf

from .conftest import sentences

NAMES = ("bad", "good")
OPTIONS = {"folds": 3, "precision": "fp32", "class_weights": "none"}


def drawn(rows: int, surer: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits that are so many times too sure, and classes drawn as the true ones say."""
    dice = np.random.default_rng(seed)
    logits = dice.normal(size=(rows, 3)) * 2
    likely = np.exp(log_likely(logits))
    classes = np.array([dice.choice(3, p=each) for each in likely])
    return logits * surer, classes


@pytest.mark.parametrize("surer", [0.5, 1.0, 3.0])
def test_a_temperature_undoes_how_much_too_sure_logits_are(surer):
    assert temperature_of(*drawn(3000, surer)) == pytest.approx(surer, rel=0.1)


def test_a_few_rows_that_are_all_right_do_not_make_it_boundlessly_sure():
    logits, classes = np.eye(2)[[0, 1] * 4] * 3.0, np.array([0, 1] * 4)
    assert 0.5 < temperature_of(logits, classes) < 1.0
    assert 0.05 < temperature_of(logits * 20, classes) <= 1.05


def examples(rows: int, at: int, wrong: float) -> list[Example]:
    """Return rows of which some have the other label, drawn by the seed 5 and where they start."""
    dice = np.random.default_rng([5, at])
    found = []
    for label in NAMES:
        for number, text in enumerate(sentences(label, rows, at)):
            other = NAMES[label == "bad"] if dice.random() < wrong else label
            found.append(Example(f"{label}:{at + number}", f"{text} {at + number}", other))
    return found


@pytest.fixture
def begun(shelf, tmp_path):
    """A network whose head is a probe on rows with doubtful labels, and four times too sure."""
    base = shelf.cache.snapshot("acme/tiny-encoder")
    session = Session(
        examples(40, 0, 0.2), examples(60, 40, 0.2), NAMES, 0, Shelf(tmp_path / "trunks", 10**9)
    )
    with quiet_libraries():
        entry = Entry("acme/tiny-encoder", revision="0" * 40)
        network = plugins().task("text-classification").network(base, entry, NAMES, "cpu", {})
        found = start(network, session, OPTIONS, layer=0)
        soften(network.head, 0.25)
        yield found, session


def judged(network, rows):
    """Return the ECE, the log loss and the labels of rows."""
    with torch.inference_mode():
        features = Whole(network, [row.input for row in rows]).features(range(len(rows)))
        likely = log_likely(network.head(features).double().numpy())
    true = np.array([NAMES.index(row.label) for row in rows])
    said = likely.argmax(1)
    sure = np.exp(likely.max(1))
    ece = calibration(sure.tolist(), (said == true).tolist())["ece"]
    return ece, -likely[np.arange(len(true)), true].mean(), said.tolist()


def test_probabilities_of_test_rows_are_better_after_it_and_labels_are_the_same(begun):
    begun, session = begun
    test = examples(100, 100, 0.2)
    ece, loss, labels = judged(begun.network, test)
    found = temper(begun, session)
    ece_after, loss_after, labels_after = judged(begun.network, test)
    assert 2 < found.temperature < 8 and found.how == "120 validation rows"
    assert ece_after < ece / 2 and loss_after < 0.8 * loss
    assert labels_after == labels


def test_without_validation_rows_or_one_class_a_row_nothing_is_divided(begun):
    begun, session = begun
    before = begun.network.head.weight.clone()
    assert temper(begun, replace(session, validation=())) is None
    assert temper(begun, replace(session, goal=SOME_CLASSES)) is None
    assert torch.equal(before, begun.network.head.weight)


def test_an_adapted_folder_is_calibrated_and_tells_how_it_learnt(adapt_once):
    facts = read_facts(adapt_once("lora", "acme/tiny-bert"))
    told = facts.calibration
    assert told["temperature"] > 0 and told["how"].endswith("validation rows")
    assert {"ece", "ece_before", "log_loss", "log_loss_before"} <= told.keys()
    epochs = len(facts.losses["training"])
    assert len(facts.losses["validation"]) == epochs + 1
    assert facts.losses["validation"][facts.losses["best_epoch"]] == min(facts.losses["validation"])
    assert len(facts.layers["losses"]) == 2


def test_a_probe_is_calibrated_on_rows_out_of_its_folds_and_says_that_it_has_no_epochs(adapted):
    facts = read_facts(adapted)
    assert facts.calibration["how"].endswith("rows out of the folds of its cross-validation")
    assert facts.losses["training"] == facts.losses["validation"] == []
    assert facts.losses["how"].startswith("there are no epochs")


def test_a_difference_of_other_rows_is_less_certain_than_one_of_the_same():
    true = ["a", "b"] * 100
    ours = [t if n % 10 else "c" for n, t in enumerate(true)]
    theirs = [t if n % 5 else "c" for n, t in enumerate(true)]
    metrics = ONE_CLASS.metrics
    free = apart(*(measure(true, said, metrics)["accuracy"] for said in (ours, theirs)))
    paired = difference(true, ours, theirs, metrics, "accuracy")
    assert free["value"] == pytest.approx(paired["value"]) == pytest.approx(0.1)
    assert free["high"] - free["low"] > paired["high"] - paired["low"]


def test_test_rows_of_another_kind_are_told_apart(moods, shelf):
    other = Path("other.csv")
    with other.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        rows = [(text, label) for label in NAMES for text in sentences(label, 20, 60)]
        flipped = {"good": "bad", "bad": "good"}
        writer.writerows((f"{t} {n}", flipped[y] if n % 3 else y) for n, (t, y) in enumerate(rows))
    done = hubtl.adapt(
        "text-classification",
        moods,
        base="acme/tiny-encoder",
        hub=shelf.name,
        test=other,
        out=Path("adapted", "other"),
    )
    shift = done.facts.shift
    assert shift["difference"]["high"] < 0 and shift["held_out"]["value"] > 0.8
    assert "points lower" in shift["says"] and "are of another kind" in shift["says"]
    card = (done.folder / "README.md").read_text()
    assert shift_line(done.facts) in card and "on 40 rows of a file of their own" in card
