"""`rank --recipes` tries recipes on the same held-out rows and takes the cheapest of the best."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

import hubtl
from hubtl.cli.rank import command
from hubtl.cli.rank_recipes import say_worth
from hubtl.climbing import Gains
from hubtl.ladder import LADDER
from hubtl.plugins.manager import plugins
from hubtl.registry.errors import BadData, BadOption, OutOfTime
from hubtl.trial_size import Ground
from hubtl.worth import Tried, Worth, advice, few, with_ties

TASK = "text-classification"
BERT = "acme/tiny-bert"


def worth(shelf, data, *named: str, **more) -> Worth:
    # However busy this machine is, there is time for all of them.
    asked = {"hub": shelf.name, "time_budget": "2h", **more}
    return hubtl.rank_recipes(TASK, data, candidates=named, **asked)


def test_recipes_are_judged_on_the_same_rows_and_the_advice_names_one(shelf, moods):
    found = worth(shelf, moods, BERT)
    assert {each.name for each in found.recipes} == set(LADDER)
    assert {(each.rows, each.held_out, each.why) for each in found.recipes} == {(40, 58, "")}
    for each in found.recipes:
        assert each.metric and each.metric["low"] <= each.metric["value"] <= each.metric["high"]
        assert each.seconds and each.seconds_all and each.memory_bytes
    costs = [each.seconds_all or 0.0 for each in found.recipes]
    assert costs == sorted(costs) and found.recipes[0].over is None
    assert found.recipe in LADDER and f"`{found.recipe}`" in found.advice
    assert found.command == (
        f"hubtl adapt {TASK} moods.csv --base {BERT} --recipe {found.recipe} --hub {shelf.name}"
    )
    told = found.as_json()
    promised = {"recipes", "advice", "recipe", "ranking", "base", "command", "seconds"}
    assert promised <= set(told) and told["ranking"] == []
    promised = {"name", "metric", "seconds", "seconds_all", "memory_bytes", "tied_with", "why"}
    assert promised <= set(told["recipes"][0])


def test_test_rows_have_no_say_and_a_recipe_that_fails_is_told_while_the_rest_go_on(
    shelf, moods, monkeypatch
):
    before = worth(shelf, moods, BERT)
    with moods.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    other = {"good": "bad", "bad": "good"}
    with moods.open("w", encoding="utf-8", newline="") as file:
        for text, label, part in rows:
            said = (text + " not", other[label]) if part == "test" else (text, label)
            csv.writer(file).writerow([*said, part])

    def adapt(self, network, options, session):
        raise ValueError("no such layer")

    monkeypatch.setattr(type(plugins().method("lora")), "adapt", adapt)
    after = worth(shelf, moods, BERT)
    why = {each.name: each.why for each in after.recipes if each.why}
    assert why == {"lora": "ValueError: no such layer"}
    reached = _reached(before)
    del reached["lora"]
    assert _reached(after) == reached


def test_too_few_rows_or_too_little_time_is_said_with_what_to_do(shelf, moods):
    with pytest.raises(BadOption, match="`--rows 20` are too few to tell recipes apart"):
        worth(shelf, moods, BERT, rows=20)
    with pytest.raises(OutOfTime):
        worth(shelf, moods, BERT, time_budget="0.001s")
    lines = moods.read_text().splitlines()
    Path("few.csv").write_text("\n".join([*lines[:21], *lines[41:61]]))
    with pytest.raises(BadData, match="too few to tell recipes apart") as told:
        worth(shelf, Path("few.csv"), BERT)
    assert told.value.hint.endswith(f"hubtl adapt {TASK} few.csv")


SURE = Gains({"value": 0.1, "low": 0.05, "high": 0.15}, {"value": 0.2, "low": 0.1, "high": 0.3})
UNSURE = Gains({"value": 0.02, "low": -0.01, "high": 0.05}, {"value": 0.0, "low": -1, "high": 1})
TRIED = tuple(
    Tried(name, {"value": 0.8, "low": 0.7, "high": 0.9}, SURE.loss, None, 240, 500, 9.0, seconds)
    for name, seconds in (("probe", 44.0), ("top", 156.0), ("full", 1623.0))
)
NAMES = ["probe", "top", "full"]


@pytest.mark.parametrize(
    ("best", "tied", "gain", "said"),
    [
        (
            "full", NAMES, UNSURE,
            "These don't differ on your data by more than chance: take `probe`, the cheapest. On "
            "all rows it takes about 44 s here, and `full` 1623 s.",
        ),
        (
            "full", ["top", "full"], UNSURE,
            "`top` is not worse than `full` by more than chance (+0.020, -0.010 to +0.050 for the "
            "dearer): take it. On all rows it takes about 156 s here, and `full` 1623 s.",
        ),
        (
            "top", ["top"], SURE,
            "`top` is ahead of `probe` by more than chance (+0.100, +0.050 to +0.150): take it. On "
            "all rows it takes about 156 s here.",
        ),
        (
            "probe", ["probe"], None,
            "`probe`, the cheapest, is ahead of the others by more than chance: take it. On all "
            "rows it takes about 44 s here.",
        ),
    ],
)  # fmt: skip
def test_the_cheapest_that_is_not_worse_by_more_than_chance_is_advised(best, tied, gain, said):
    assert advice(TRIED, NAMES, best, tied, gain) == (tied[0], said)


def test_one_alone_is_compared_with_nothing_and_few_rows_are_a_caution():
    said = advice(TRIED, ["probe"], "probe", ["probe"], None)[1]
    assert said.startswith("Only `probe` could be tried: there is nothing to compare it with.")
    assert few(240, 480) == ""
    assert few(240, 2640).startswith(" They learnt from 240 of 2,640 rows")


def test_rows_grow_as_far_as_there_is_time():
    ground = Ground(None, 4000, (), (64, 128, 256, 512))  # type: ignore[arg-type]
    assert ground.further(64, took=10.0, left=60.0) == 256
    assert ground.further(64, took=10.0, left=20.0) is None
    assert ground.further(512, took=1.0, left=1e9) is None


def test_the_table_is_readable_on_60_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    recipes = (*with_ties(TRIED, ["probe", "top"]), Tried("norm", why="no time"))
    recipes = (recipes[0], replace(recipes[1], over=UNSURE), *recipes[2:])
    say_worth(Worth(TASK, BERT, "accuracy", "probe", "Take it.", "x", recipes, 600, {}, None, 9.0))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, shown)) <= 60
    assert shown[0].split() == ["RECIPE", "ACCURACY", "MAY", "BE", "BEST", "ROWS", "ALL", "ROWS"]
    assert shown[1].split() == ["probe", "0.800", "(0.700", "to", "0.900)", "yes", "240", "44", "s"]
    assert shown[5].split() == ["NOT", "TRIED", "WHY"]
    assert shown[6].split() == ["norm", "no", "time"] and shown[8] == "Take it."


def test_the_command_ranks_bases_first_and_says_what_to_type_next(shelf, moods, capsys):
    command(TASK, moods, hub=shelf.name, recipes=True, time_budget="2h")
    shown = capsys.readouterr()
    assert shown.out.split()[:2] == ["RECIPE", "ACCURACY"]
    assert {line.partition(" ")[0] for line in shown.out.splitlines()} >= set(LADDER)
    assert "judging, 2 of 2: acme/" in " ".join(shown.err.split())
    assert f"next: hubtl adapt {TASK} moods.csv --base acme/tiny-" in shown.err
    assert "no test row was read" in shown.err


def test_one_recipe_is_named_or_all_are_compared(moods):
    with pytest.raises(BadOption, match="`--recipes` compares all of them, and --recipe names one"):
        command(TASK, moods, recipes=True, recipe="lora")


def _reached(found: Worth) -> dict[str, object]:
    """What each recipe reached that was tried."""
    return {each.name: (each.metric, each.loss) for each in found.recipes if each.metric}
