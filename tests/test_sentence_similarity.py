"""How alike two texts are, learnt from pairs with a score: read, told, judged and refused."""

from __future__ import annotations

import csv
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

import hubtl
from hubtl.dataset import read_dataset
from hubtl.plugins.export import HERE
from hubtl.plugins.hookspecs import Loading
from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.manager import plugins
from hubtl.plugins.text.pairs import pair_of, texts_of
from hubtl.predictions import read_predictions
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadData, BadOption
from hubtl.registry.facts import read_facts
from hubtl.transfer.cut import Fed, Tap, cut_at

from .conftest import FILLER, WORDS

TASK, BASE = "sentence-similarity", "acme/tiny-encoder"
ENOUGH = {  # for a tiny model to learn which words are of a kind
    "top": {"rate": "0.003", "epochs": "6"},
    "lora": {"rate": "0.01", "epochs": "10", "layers": "all", "patience": "5"},
    "norm": {"rate": "0.02", "epochs": "8"},
    "full": {"rate": "0.003", "epochs": "6"},
}


def write_pairs(path: Path, rows: int = 300) -> Path:
    """Write pairs of texts; a score is how many of four words are good, or bad, in both."""
    dice = random.Random(0)

    def text(good: int) -> str:
        words = [*dice.choices(WORDS["good"], k=good), *dice.choices(WORDS["bad"], k=4 - good)]
        words += dice.sample(FILLER, 2)
        dice.shuffle(words)
        return " ".join(words)

    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["sentence1", "sentence2", "score", "split"])
        for number in range(rows):
            first, second = dice.choice([0, 4]), dice.randrange(5)
            part = "test" if number < rows / 3 else "train"
            table.writerow([text(first), text(second), 4 - abs(first - second), part])
    return path


@pytest.fixture
def pairs() -> Path:
    """A table of 300 pairs with scores from 0 to 4, 100 of them to test with."""
    return write_pairs(Path("pairs.csv"))


def adapt(shelf: Folder, data: Path, recipe: str = "lora", **more: object) -> Path:
    asked = {
        "base": BASE,
        "hub": shelf.name,
        "domain": "general",
        "options": ENOUGH.get(recipe, {}),
    }
    return hubtl.adapt(TASK, data, recipe=recipe, **{**asked, **more}).folder


def rows(text: str, name: str = "a.csv", **columns: str) -> list[tuple[str, str]]:
    """Return the input and the label of each row of a table."""
    Path(name).write_text(text)
    task = plugins().task(TASK)
    read = read_dataset(Path(name), task, columns, goal=task.goal({})).examples
    return [(row.input, row.label) for row in read]


ONE = ('{"sentence1": "a cat", "sentence2": "a dog"}', "3.5")


@pytest.mark.parametrize(
    "header",
    ["sentence1,sentence2,score", "text1,text2,similarity", "sentence_A,sentence_B,label",
     "anchor,positive,relatedness_score", "first,second,rating"],
)  # fmt: skip
def test_columns_are_found_by_the_names_that_such_sets_have(header):
    assert rows(f"{header}\na cat,a dog,3.5\n") == [ONE]


def test_columns_may_be_named_and_tables_be_of_any_kind():
    assert rows("u,v,w\na cat,a dog,3.5\n", sentence1="u", sentence2="v", score="w") == [ONE]
    line = {"score": 3.5, "sentence2": "a dog", "sentence1": "a cat"}
    assert rows(json.dumps(line), name="a.jsonl") == [ONE]


def test_a_pair_without_one_of_its_texts_or_a_number_for_its_score_is_told_with_its_row():
    head = "sentence1,sentence2,score\n"
    with pytest.raises(BadData, match=r"an empty pair \(line 2\)"):
        rows(f"{head}a cat,,1\nit,is,2\n")
    with pytest.raises(BadData, match=r"no finite number.*such as `near`"):
        rows(f"{head}a cat,a dog,near\nit,is,2\n")
    with pytest.raises(BadData, match="has no sentence2 column"):
        rows("sentence1,score\na cat,1\n")


def test_cosines_learn_to_follow_scores_and_are_told_pair_by_pair(shelf, pairs, hubtl_cli):
    folder = adapt(shelf, pairs)
    facts, found = read_facts(folder), read_predictions(folder)
    assert (facts.labels, facts.main_metric) == (("score",), "spearman")
    assert set(facts.metrics) == {"spearman", "pearson"}
    assert set(facts.baselines) == {"base", "tfidf", "letters"}
    before = facts.baselines["base"]["spearman"]
    assert facts.metrics["spearman"]["value"] > before + 0.5
    assert facts.beats_baseline and 0 < facts.retention["score"] < 1
    assert facts.loads == {way: "works" for way in facts.loads} and len(facts.loads) == 1

    (asked, *_), (label, *_) = found.inputs, found.predicted
    said = hubtl_cli(f"predict {folder} '{asked}' --hub {shelf.name} --json")
    (one,) = said.json["predictions"]
    assert one["label"] == pytest.approx(float(label), abs=1e-5) and one["score"] is None
    table = hubtl_cli(f"predict {folder} --data {pairs} --hub {shelf.name} --json")
    assert len(table.json["predictions"]) == 300
    evaluated = hubtl.evaluate(folder, pairs, hub=shelf.name)
    assert evaluated.metrics == facts.metrics and evaluated.baselines == facts.baselines
    assert evaluated.beats_baseline is True, "what rivals said of these rows was kept"


def test_the_report_and_the_card_say_what_is_compared(shelf, pairs):
    folder = adapt(shelf, pairs, options={"epochs": "1"})
    page = (folder / "report.html").read_text()
    assert "score: said against true" in page and "how far its cosine is from the score" in page
    assert not any(each in page for each in ("how far off, by", "on the dashed line", " nats"))
    card = (folder / "README.md").read_text()
    assert "metrics:\n- spearmanr\n- pearsonr\n" in card and "| the base as it is |" in card
    assert "two texts are compared by the cosine of theirs" in card
    assert "mean loss (CoSENT)" in read_facts(folder).losses["how"]


def test_the_folder_is_one_of_sentence_transformers_and_gives_the_same_cosines(
    shelf, pairs, tiny_folders
):
    from sentence_transformers import SentenceTransformer

    folder = adapt(shelf, pairs, "full")
    model, found = SentenceTransformer(str(folder), device="cpu"), read_predictions(folder)
    texts = [[json.loads(each)[key] for each in found.inputs] for key in ("sentence1", "sentence2")]
    cosines = model.similarity_pairwise(*map(model.encode, texts)).tolist()
    assert cosines == pytest.approx([float(label) for label in found.predicted], abs=1e-5)
    assert [type(module).__name__ for module in model][:2] == ["Transformer", "Pooling"]


@pytest.mark.parametrize(
    ("recipe", "options", "why", "instead"),
    [
        ("probe", {}, "`probe` fits a head, and these labels are learnt without one", "lora"),
        ("fewshot", {}, "`fewshot` fits a head, and these labels are learnt", "lora"),
        ("top", {"layers": "probe"}, "`layers=probe`: no head is fitted", "layers=auto"),
        ("lora", {"class_weights": "balanced"}, "no class is rare", "leave it out"),
    ],
)
def test_what_needs_a_head_or_classes_is_refused_before_work(
    recipe, options, why, instead, shelf, pairs
):
    with pytest.raises(BadOption, match=why) as told:
        adapt(shelf, pairs, recipe, options=options)
    assert instead in told.value.hint


def test_a_base_that_makes_no_one_vector_of_a_text_is_refused(shelf, pairs):
    with pytest.raises(BadOption, match="does not make one vector of a text"):
        adapt(shelf, pairs, base="acme/tiny-bert")


def test_scores_are_checked_as_numbers_and_texts_as_texts(pairs, hubtl_cli):
    text = pairs.read_text().splitlines()
    pairs.write_text("\n".join([*text, *text[50:53]]) + "\n")
    found = hubtl_cli(f"check {TASK} {pairs} --json").json
    assert [each["kind"] for each in found["findings"]] == ["duplicate"]
    assert found["inputs"]["label"]["most"] == 4 and found["inputs"]["words"]["most"] == 12
    assert found["labels"] == {}


def test_a_recipe_that_cannot_learn_such_labels_is_refused_before_bases_are_ranked(shelf, pairs):
    with pytest.raises(BadOption, match="`probe` fits a head") as told:
        hubtl.rank(TASK, pairs, candidates=[BASE], recipe="probe", hub=shelf.name)
    assert told.value.hint == "--recipe lora"


def test_bases_are_ranked_by_what_their_cosines_say_before_anything_is_learnt(shelf, pairs):
    found = hubtl.rank(TASK, pairs, candidates=[BASE], hub=shelf.name)
    (one,) = found.ranking
    assert 0.1 < one.scores["as it is"] < 0.5
    assert "rank correlation (spearman) before anything is learnt" in found.advice


def test_a_text_on_both_sides_of_a_split_is_told(shelf, pairs, hubtl_cli):
    lines = pairs.read_text().splitlines()
    first = lines[1].split(",")[0]
    lines[200] = ",".join(["so it was", first.upper(), *lines[200].split(",")[2:]])
    pairs.write_text("\n".join(lines) + "\n")
    (found,) = hubtl_cli(f"check {TASK} {pairs} --json").json["findings"]
    assert (found["kind"], found["count"], found["severity"]) == ("shared", 1, "warning")
    told = "a test row has a sentence1 or sentence2 that rows to learn from have too"
    assert found["what"] == told
    plan = hubtl_cli(
        f"adapt {TASK} {pairs} --base {BASE} --hub {shelf.name} --recipe lora --dry-run"
    )
    assert told in plan.err + plan.out


def test_a_base_that_takes_the_first_token_is_taken_as_it_is_and_one_with_more_layers_refused(
    tiny_folders, tmp_path, monkeypatch
):
    import torch
    from sentence_transformers import SentenceTransformer

    first, task = tmp_path / "first", plugins().task(TASK)
    shutil.copytree(tiny_folders[BASE], first)
    told = json.loads((first / "1_Pooling/config.json").read_text())
    modes = {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}
    (first / "1_Pooling/config.json").write_text(json.dumps({**told, **modes}))
    network = task.network(first, Entry("acme/first"), (), "cpu", {})
    inputs = [pair_of("great day", "the awful room"), pair_of("so", "so kind and warm")]
    with torch.inference_mode():
        cosines = network.head(network.features(network.collate(inputs)))[:, 0].tolist()
    model = SentenceTransformer(str(first), device="cpu")
    texts = map(model.encode, texts_of(inputs))
    assert cosines == pytest.approx(model.similarity_pairwise(*texts).tolist(), abs=1e-5)

    made, names = tmp_path / "made", dict[str, Any]()
    made.mkdir()
    network.release()
    network.save(made)
    monkeypatch.chdir(made)
    inputs_told = network.describe_inputs(inputs)
    assert "the first token" in inputs_told["how"]
    exec(task.snippet(made, Loading(HERE, str(first), "main", (), inputs_told)), names)
    assert names["predict"](inputs) == pytest.approx(cosines, abs=1e-5)
    assert names["predict"]([("so", "so kind and warm")]) == pytest.approx(cosines[1:], abs=1e-5)

    modules = json.loads((first / "modules.json").read_text())
    dense = {"idx": 9, "name": "9", "path": "9", "type": "sentence_transformers.models.Dense"}
    (first / "modules.json").write_text(json.dumps([*modules, dense]))
    with pytest.raises(BadOption, match="first alone, but has Dense"):
        task.network(first, Entry("acme/first"), (), "cpu", {})


def test_the_frozen_layers_of_pairs_run_once_and_training_goes_on_from_them(tiny_folders):
    import torch

    network = plugins().task(TASK).network(tiny_folders[BASE], Entry(BASE), (), "cpu", {})
    inputs = [pair_of("so kind", "we all said that it felt warm"), pair_of("late", "cold")]
    cut = cut_at(network, 1, inputs)
    assert cut.positions(network.sizes(inputs)) == network.sizes(inputs) and not cut.shape
    with torch.inference_mode(), Tap(network, 1) as tap:
        whole = network.features(network.collate(inputs))
    # As they are kept: cut off at each pair's own size, zeros behind.
    states = tap.states.clone()
    states[1, network.sizes(inputs)[1] :] = 0
    with torch.inference_mode(), Fed(network, cut) as fed:
        again = fed.features(network.outline(inputs), states)
    assert not states.equal(tap.states)
    torch.testing.assert_close(again, whole)
