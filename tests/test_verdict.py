"""Whether a model beats its plain rivals: on the rows that were measured, and on others."""

import csv

import pytest

import hubtl
from hubtl.registry.facts import read_facts


def table(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def others(moods, adapted, shelf):
    """Return what a model says of texts that it was not measured on, and the labels it knows."""
    with moods.open(encoding="utf-8", newline="") as file:
        texts = [f"{row['text']}, they said" for row in csv.DictReader(file)]
    said = hubtl.predict(adapted, texts, hub=shelf.name)
    return [(each.input, each.label) for each in said], read_facts(adapted).labels


def test_of_the_measured_rows_evaluate_says_what_adapt_said(adapted, moods, shelf):
    facts = read_facts(adapted)
    found = hubtl.evaluate(adapted, moods, hub=shelf.name)
    assert set(facts.baselines) > {"majority"}
    assert (found.baselines, found.beats_baseline) == (facts.baselines, facts.beats_baseline)


def test_who_beats_the_commonest_label_on_other_rows_may_not_beat_what_is_not_known_of_them(
    adapted, moods, shelf, tmp_path
):
    right, _ = others(moods, adapted, shelf)
    found = hubtl.evaluate(adapted, table(tmp_path / "right.csv", right), hub=shelf.name)
    assert found.metrics["accuracy"]["value"] == 1
    assert (list(found.baselines), found.beats_baseline) == (["majority"], None)
    plain = "TF-IDF of letters + linear SVM, TF-IDF + logistic regression"
    assert found.how == f"all rows; not known of them: {plain}"


@pytest.mark.long
def test_who_does_not_even_beat_the_commonest_label_on_other_rows_beats_nobody(
    adapted, moods, shelf, tmp_path, hubtl_cli
):
    said, labels = others(moods, adapted, shelf)
    wrong = [(text, next(each for each in labels if each != label)) for text, label in said]
    path = table(tmp_path / "wrong.csv", wrong)
    assert hubtl.evaluate(adapted, path, hub=shelf.name).beats_baseline is False
    shown = hubtl_cli(f"evaluate {adapted} {path} --hub {shelf.name}")
    assert shown.out.startswith("This does not beat the best baseline")
