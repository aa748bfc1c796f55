"""A learning curve says whether more rows are worth it, by a linear head on what is kept."""

from __future__ import annotations

import numpy as np
import pytest

from hubtl.registry.errors import BadData
from hubtl.registry.facts import read_facts
from hubtl.transfer.curve import _twice, learning_curve, says
from hubtl.transfer.split import Example
from hubtl.transfer.start import Session
from hubtl.transfer.trunk import Shelf, Trunk


def curve(rows: int, apart: float, width: int = 40):
    """Return the curve of two classes that lie so far apart in one of many directions."""
    dice = np.random.default_rng(3)
    classes = np.arange(rows) % 2
    features = dice.normal(size=(rows, width)).astype(np.float32)
    features[:, 0] += apart * classes
    examples = [Example(str(n), f"row {n}", "ab"[classes[n]]) for n in range(rows)]
    trunk = Trunk({each.input: n for n, each in enumerate(examples)}, features)
    return learning_curve(Session(examples, (), ["a", "b"], 0, Shelf(None, 0)), trunk)  # type: ignore[arg-type]


def test_where_many_directions_are_to_be_learnt_more_rows_are_worth_it():
    found = curve(600, 3.0, 300)
    assert [point["rows"] for point in found["points"]] == [60, 120, 240, 480]
    assert found["points"][0]["value"] < found["points"][-1]["value"]
    assert found["twice"]["low"] > 0
    assert found["says"].startswith("Twice the rows would bring a linear head on this base about +")


def test_where_all_is_learnt_more_rows_are_not_worth_it():
    found = curve(400, 20.0)
    assert found["points"][-1]["value"] == 1
    assert found["says"].startswith("More rows of this kind are not worth it")


def test_a_power_law_is_read_on_by_one_doubling():
    sizes = np.array([100.0, 200.0, 400.0])
    values = np.stack([1 - 2 * sizes**-0.5], axis=1)
    assert _twice(sizes, values, 0.001)[0] == pytest.approx(2 * (400**-0.5 - 800**-0.5))


def test_what_cannot_be_told_is_not_told():
    told = says("accuracy", {"value": 0.01, "low": -0.01, "high": 0.03})
    assert told == (
        "Whether more rows are worth it can't be told from these: twice as many, about +1.0 points "
        "of accuracy (-1.0 to +3.0)."
    )


def test_few_rows_have_no_curve():
    with pytest.raises(BadData, match="too few rows"):
        curve(30, 2.0)


def test_adapt_tells_the_curve_and_the_card_does(adapted):
    facts = read_facts(adapted)
    assert facts.curve["metric"] == "accuracy"
    assert [set(point) for point in facts.curve["points"]] == [{"rows", "value", "low", "high"}] * 3
    assert facts.curve["says"] in (adapted / "README.md").read_text()
