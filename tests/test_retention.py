"""What an adapted model still can of what its base could: by hand, by the folder, on the screen."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import hubtl
from hubtl.plugins.speech.general_clips import clips, sentences
from hubtl.plugins.text.general_sentences import SENTENCES
from hubtl.plugins.vision.general_pictures import pictures
from hubtl.registry.errors import BadData
from hubtl.registry.facts import read_facts
from hubtl.registry.usage import kept_of_base
from hubtl.retention import retained
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.retention import by_chance, linear_cka, neighbour_overlap, still_right
from hubtl.transfer.split import evenly

KEYS = {"score", "how", "rows", "cka", "loss_before", "loss_after"}
DICE = np.random.default_rng(3)


def directions(*degrees: float) -> np.ndarray:
    """Return points on a circle, each in its direction."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_overlap_is_the_share_of_neighbours_that_are_the_same():
    before = directions(0, 10, 30, 180)
    after = directions(0, 10, 200, 179)  # the third has moved over to the fourth
    nearest = [{1, 2}, {0, 2}, {0, 1}, {1, 2}]
    now = [{1, 2}, {0, 3}, {0, 3}, {1, 2}]
    by_hand = [len(a & b) / 2 for a, b in zip(nearest, now, strict=True)]
    assert neighbour_overlap(before, after, nearest=2).tolist() == by_hand == [1.0, 0.5, 0.5, 1.0]


def test_what_is_only_turned_and_scaled_is_all_kept():
    before = DICE.normal(size=(60, 5))
    turned = before @ np.linalg.qr(DICE.normal(size=(5, 5)))[0] * 7
    assert neighbour_overlap(before, turned).mean() == 1.0
    assert linear_cka(before, turned) == pytest.approx(1.0)


def test_of_what_has_nothing_to_do_with_it_as_much_is_kept_as_by_chance():
    overlaps = [
        neighbour_overlap(DICE.normal(size=(60, 20)), DICE.normal(size=(60, 20))).mean()
        for _ in range(20)
    ]
    assert np.mean(overlaps) == pytest.approx(by_chance(60), abs=0.02)


def test_linear_cka_is_that_of_kornblith():
    # Centred, x is (-1, 0, 1) and y is (-1, 2, -1): they have no share in each other; z is half x.
    x, y, z = (np.array(column, float)[:, None] for column in ([0, 1, 2], [0, 3, 0], [5, 4, 3]))
    assert linear_cka(x, y) == pytest.approx(0.0)
    assert linear_cka(x, z) == pytest.approx(1.0)
    # (x.[x y])^2 = 2^2 + 0, over |x'x| = 2 and |[x y]'[x y]| = sqrt(2^2 + 6^2).
    assert linear_cka(x, np.hstack([x, y])) == pytest.approx(4 / (2 * np.sqrt(40)))
    assert linear_cka(x, np.ones((3, 2))) is None


@pytest.mark.parametrize(
    ("before", "after", "score"),
    [(0.2, 0.2, 1.0), (0.2, 0.6, 0.5), (0.2, 0.1, 1.0), (0.2, 1.5, 0.0), (1.0, 0.3, None)],
)
def test_of_words_those_count_that_the_base_got_right(before, after, score):
    assert still_right(before, after) == (score if score is None else pytest.approx(score))


def test_of_many_rows_some_are_taken_from_all_over():
    assert evenly(3, 5) == [0, 1, 2]
    assert evenly(10, 4) == [0, 2, 5, 7]


def test_the_public_inputs_are_many_and_no_two_are_the_same():
    for found in (SENTENCES, pictures(), clips()):
        assert len(found) == len(set(found)) >= 120
    assert len(sentences()) == 16


def test_a_probe_changes_nothing_and_needs_no_measuring(adapted):
    retention = read_facts(adapted).retention
    assert set(retention) == KEYS
    assert (retention["score"], retention["cka"], retention["rows"]) == (1.0, 1.0, 0)
    assert retention["how"].startswith("nothing in the body was changed")


@pytest.mark.parametrize(
    ("frozen", "upon", "score"), [(True, None, 1.0), (True, "adapter", None), (False, None, None)]
)
def test_a_body_left_as_it_was_is_kept_whatever_its_task_tells(frozen, upon, score):
    task = SimpleNamespace(name="stranger-classification")  # without public inputs
    job = SimpleNamespace(task=task, method=SimpleNamespace(frozen=frozen), upon=upon)
    retention = retained(job, Path("base"), [], print)
    assert set(retention) == KEYS
    assert retention["score"] == score
    assert ("`stranger-classification` doesn't tell" in retention["how"]) == (score is None)


@pytest.mark.parametrize(
    ("base", "recipe"), [("acme/tiny-bert", "full"), ("acme/tiny-encoder", "lora")]
)
def test_what_was_measured_is_what_public_libraries_make_of_the_saved_folder(
    base, recipe, adapt_once, shelf
):
    from peft import PeftModel
    from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

    folder = adapt_once(recipe, base)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pooled = base.endswith("encoder")

    def seen(model) -> np.ndarray:
        batch = tokenizer(list(SENTENCES), padding=True, truncation=True, max_length=64)
        batch = {name: torch.tensor(value) for name, value in batch.items()}
        with torch.inference_mode():
            if not pooled:
                model = next(part for name, part in model.named_modules() if name.endswith("bert"))
                return model(**batch).pooler_output.numpy()
            mask = batch["attention_mask"].unsqueeze(-1)
            return ((model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)).numpy()

    kind = AutoModel if pooled else AutoModelForSequenceClassification
    with quiet_libraries():
        plain = kind.from_pretrained(shelf.cache.snapshot(base)).eval()
        before = seen(plain)
        if recipe == "full":
            after = seen(kind.from_pretrained(folder).eval())
        else:
            after = seen(PeftModel.from_pretrained(plain, folder).eval())
    retention = read_facts(folder).retention
    assert retention["rows"] == 200
    assert 0.05 < retention["score"] < 0.99
    assert retention["score"] == pytest.approx(neighbour_overlap(before, after).mean(), abs=0.005)
    assert retention["cka"] == pytest.approx(linear_cka(before, after), abs=1e-3)


@pytest.mark.long
def test_inputs_of_the_users_own_are_asked_too_and_stand_beside_the_gain(
    moods, shelf, hubtl_cli, tmp_path
):
    own = tmp_path / "own.jsonl"
    lines = [json.dumps({"text": f"the room was number {n}"}) for n in range(40)]
    own.write_text("\n".join([*lines, lines[0]]))
    said = hubtl_cli(
        f"adapt text-classification {moods} --base acme/tiny-encoder --hub {shelf.name} "
        f"--recipe top --retain {own} --out adapted"
    )
    retention = hubtl.registry.facts.read_facts(tmp_path / "work" / "adapted").retention
    assert set(retention) == {*KEYS, "retain"}
    assert (retention["rows"], retention["retain"]["rows"]) == (200, 40)
    gain, *kept = said.out.partition("\nGain ")[2].splitlines()[:3]
    assert "accuracy" in gain
    assert kept == kept_of_base(retention)
    card = (tmp_path / "work" / "adapted" / "README.md").read_text()
    assert all(line in card for line in kept)
    assert "room was number" not in card


def test_too_few_inputs_of_the_users_own_are_refused_before_any_work(moods, shelf, tmp_path):
    (tmp_path / "few.csv").write_text("text\n" + "one more\n" * 50)
    with pytest.raises(BadData) as raised:
        hubtl.plan(
            "text-classification", moods, base="acme/tiny-encoder", hub=shelf.name,
            retain=tmp_path / "few.csv",
        )  # fmt: skip
    assert "has 1 different input," in raised.value.message


def test_a_card_says_how_little_is_known():
    unknown = dict.fromkeys(KEYS) | {"how": "the base gets nothing right of 16 sentences"}
    told = kept_of_base(unknown)
    assert told == ["Retention is not known: the base gets nothing right of 16 sentences."]
    heard = SimpleNamespace(score=0.5, how="told", rows=16, cka=None, loss_before=0.2)
    words = kept_of_base({**vars(heard), "loss_after": 0.6})
    assert words == ["Retention 0.500, loss 0.200 before and 0.600 after: told."]
