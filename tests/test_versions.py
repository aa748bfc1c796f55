"""Versions: a second one is compared with what is live, and its card tells of both."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest

import hubtl
from hubtl.predictions import read_predictions
from hubtl.registry.errors import HubtlError
from hubtl.registry.facts import read_facts
from hubtl.transfer.measure import gain
from hubtl.transfer.progress import silent
from hubtl.versions import beside, live

from .test_publish import NAME, change, refused, tree


@pytest.fixture
def worse(shelf, hubtl_cli, moods):
    """A version that learnt from rows whose labels were swapped, measured on the right ones."""
    swapped = {"good": "bad", "bad": "good"}
    lines = [line.split(",") for line in moods.read_text().splitlines()]
    rows = [
        [t, swapped.get(label, label) if part == "train" else label, part]
        for t, label, part in lines
    ]
    moods.with_name("wrong.csv").write_text("\n".join(",".join(cells) for cells in rows))
    return hubtl.adapt(
        "text-classification",
        moods.with_name("wrong.csv"),
        base="acme/tiny-encoder",
        hub=shelf.name,
        domain="general",
    ).folder


def test_a_version_that_is_worse_is_refused_unless_that_is_allowed(adapted, worse, shelf):
    first = hubtl.publish(adapted, NAME, hub=shelf.name, tag="v1")
    why = refused(worse, shelf)
    assert re.match(
        r"this version is worse than v1, which is live: by [\d.]+ accuracy \([\d.]+ to [\d.]+\) on "
        r"the same rows \| --allow-worse publishes it all the same",
        why,
    )
    second = hubtl.publish(worse, NAME, hub=shelf.name, allow_worse=True)
    assert second.against["revision"] == first.commit
    assert second.against["difference"]["high"] < 0
    assert shelf.cache.refs(NAME) == {"main": second.commit, "v1": first.commit}


def test_the_card_keeps_a_table_of_versions_that_says_which_compare(adapted, worse, shelf):
    first = hubtl.publish(adapted, NAME, hub=shelf.name, tag="v1")
    second = hubtl.publish(worse, NAME, hub=shelf.name, allow_worse=True)
    third = hubtl.publish(adapted, NAME, hub=shelf.name)
    shown = re.search(r"## Versions\n\n(.*?)\n\n", third.card, re.DOTALL)[1].splitlines()[2:]
    value = {
        name: "accuracy {value:.3f} ({low:.3f}–{high:.3f})".format(
            **read_facts(folder).metrics["accuracy"]
        )
        for name, folder in (("right", adapted), ("wrong", worse))
    }
    base = "acme/tiny-encoder | probe"
    assert shown == [
        f"| **this one** | {base} | {value['right']} | 20, the same |",
        f"| `{second.commit[:7]}` | {base} | {value['wrong']} | 20, the same |",
        f"| `v1` `{first.commit[:7]}` | {base} | {value['right']} | 20, the same |",
    ]


def test_the_same_work_published_twice_is_one_version(adapted, shelf):
    first = hubtl.publish(adapted, NAME, hub=shelf.name)
    second = hubtl.publish(adapted, NAME, hub=shelf.name)
    assert (second.commit, second.against) == (first.commit, None)
    assert "## Versions" not in second.card


def test_evaluate_compares_with_a_version_by_its_tag(adapted, worse, shelf, moods):
    hubtl.publish(adapted, NAME, hub=shelf.name, tag="v1")
    hubtl.publish(worse, NAME, hub=shelf.name, allow_worse=True)
    found = hubtl.evaluate(NAME, moods, against=f"{NAME}@v1", hub=shelf.name)
    assert found.against["difference"]["high"] < 0


def test_what_hubtl_did_not_make_is_replaced_without_being_compared(adapted, shelf, tmp_path):
    card = tmp_path / "README.md"
    card.write_text("# by hand\n")
    shelf.cache.add(NAME, {"README.md": card})
    done = hubtl.publish(adapted, NAME, hub=shelf.name)
    assert done.against["difference"] is None
    assert done.against["why"] == "hubtl did not make it: it has no hubtl.json"


def test_a_dry_run_tells_what_would_change_and_changes_nothing(adapted, worse, shelf, hubtl_cli):
    hubtl.publish(adapted, NAME, hub=shelf.name)
    before = tree(shelf.cache.root)
    said = hubtl_cli(f"publish {worse} --to {NAME} --hub {shelf.name} --allow-worse --dry-run")
    assert tree(shelf.cache.root) == before
    assert said.code == 0
    assert "  changed  3_Dense/model.safetensors\n" in said.out
    assert "  same     tokenizer.json\n" in said.out
    assert "against   " in said.out
    assert "\n+| **this one** | acme/tiny-encoder | probe |" in said.out


def test_what_a_stranger_writes_into_a_history_does_not_reach_the_next_card(adapted, shelf):
    done = hubtl.publish(adapted, NAME, hub=shelf.name)
    live = shelf.cache.snapshot(NAME, done.commit)
    told = {"revision": "1" * 40, "tags": [], "base": "x`\n```python\nimport os", "recipe": "probe"}
    told |= {"metric": "accuracy", "value": 1, "low": 1, "high": 1, "rows": 9}
    facts = dataclasses.replace(read_facts(live), history=({**told, "test_fingerprint": "a"},))
    facts.write(adapted)
    with pytest.raises(HubtlError, match="a version in its history is told in odd words"):
        hubtl.publish(adapted, NAME, hub=shelf.name)


def test_chance_alone_seldom_stops_a_version():
    import numpy as np

    dice, stopped = np.random.default_rng(0), 0
    metrics = {"accuracy": lambda true, said, draws: draws @ (true == said) / draws.sum(axis=1)}
    for seed in range(200):
        true = dice.integers(0, 2, 200).astype(str)
        one, other = (np.where(dice.random(200) < 0.8, true, "?") for _ in range(2))
        stopped += gain(true, one, other, metrics, seed)["high"] < 0
    assert stopped <= 10  # 2.5 % of 200, and chance


def test_numbers_are_not_compared_with_classes(adapted, moods, shelf):
    told = shutil.copytree(adapted, Path("told"))
    change(told, "labels", to=["stars"])
    change(told, "options", "numbers", to=True)
    change(told, "data", "numbers", to={"mean": 3.0, "deviation": 1.5})
    change(told, "data", "test_fingerprint", to="0" * 64)  # else it is the same work
    with pytest.raises(HubtlError) as caught:
        hubtl.evaluate(adapted, moods, against=told, hub=shelf.name)
    assert caught.value.message == "not compared with `told`: its labels are of another kind"
    hubtl.publish(adapted, NAME, hub=shelf.name)
    before, facts, rows = live(shelf, NAME), read_facts(told), read_predictions(told)
    found = beside(before, shelf, facts, rows, Path("room"), silent)
    assert (found["difference"], found["why"]) == (None, "its labels are of another kind")
