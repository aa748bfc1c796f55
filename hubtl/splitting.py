"""Which rows teach, which choose, which test; and `split.json`, by which that is checked again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from .dataset import Dataset, test_rows
from .registry.errors import BadData
from .transfer.goal import ONE_CLASS, Goal
from .transfer.rows import Example
from .transfer.split import (
    Split,
    distinct_inputs,
    folds,
    hold_out,
    joined,
    labels_of,
    latest,
    on_two_sides,
    unseen,
)

FILE = "split.json"
SHOWN = 5
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.15
VALIDATED = f", {VALIDATION_SHARE:.0%} of the rest to validate"
MANY_NUMBERS = 20  # different ones, from where on they are taken to measure rather than to name
BY_NUMBER = "the labels are numbers: to predict a number, say --set numbers=true"
# More rows than this teach a plain rival nothing new, and take hours and gigabytes.
RIVAL_ROWS = 50_000


def split_rows(
    data: Dataset,
    test: Dataset | None,
    seed: int,
    *,
    validates: bool,
    goal: Goal = ONE_CLASS,
) -> Split:
    """Return train, validation and test rows, by the file's own split where it has one."""
    marked = any(map(len, data.parts.values()))
    validation: Sequence[Example] = data.parts["validation"]
    kept: Sequence[Example] = data.parts["train"] if marked else data.examples
    held_out: Sequence[Example]
    if test is not None:
        held_out, how = test_rows(test), "test rows from a file of their own"
    elif len(data.parts["test"]):
        held_out, how = data.parts["test"], "split as the file says"
    else:
        _check_labels(data.path, data.examples, goal)
        kept, held_out = _divided(data, kept, TEST_SHARE, seed, goal)
        how = f"{_name(data, TEST_SHARE, goal)} held out{_seed(data, seed)}"
    if validates and not len(validation):
        kept, validation = to_validate(data, kept, seed, goal)
        how += VALIDATED
    learnt = joined(kept, validation)
    fresh = _fresh(data.path, held_out, learnt)
    dropped = len(held_out) - len(fresh)
    if dropped:
        how += f"; {dropped} test rows dropped that are in training too"
    if data.made:
        how += f"; {data.made}"
    if test and test.made:
        how += f"; in the file to test with {test.made}"
    if len(learnt) > RIVAL_ROWS:
        how += f"; plain rivals learnt from a stratified {RIVAL_ROWS} rows of those to train on"
    split = Split(kept, validation, fresh, how, dropped)
    _check_split(data.path, split, goal)
    return split


def to_validate(
    data: Dataset, rows: Sequence[Example], seed: int, goal: Goal
) -> tuple[Sequence[Example], Sequence[Example]]:
    """Return rows to train on and rows to choose by; raises BadData where they can't be divided."""
    return _divided(data, rows, VALIDATION_SHARE, seed + 1, goal)


def validated(data: Dataset, split: Split, seed: int, goal: Goal) -> Split:
    """Return a split with rows to choose by, as `split_rows` makes one for what validates."""
    if len(split.validation):
        return split
    kept, validation = to_validate(data, split.train, seed, goal)
    return replace(split, train=kept, validation=validation, how=split.how + VALIDATED)


def parts_to_judge(
    data: Dataset, rows: Sequence[Example], count: int, seed: int, goal: Goal
) -> Iterator[tuple[Sequence[Example], Sequence[Example]]]:
    """Yield (kept, held out) so many times at most, by which recipes are told apart.

    Of rows with times the latest are held out, once. Raises BadData where they can't be divided.
    """
    if "time" in data.columns:
        yield _divided(data, rows, 1 / count, seed, goal)
        return
    yield from folds(rows, count, seed + 2, strata=goal.divides)


def write_split(folder: Path, split: Split, seed: int) -> None:
    """Write which row is on which side: ids and fingerprints, never rows; for its owner only."""
    with os.fdopen(os.open(folder / FILE, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write(json.dumps({"format": 1, "seed": seed, "how": split.how})[:-1])
        for part in ("train", "validation", "test"):
            file.write(f',\n"{part}": [')
            for number, row in enumerate(getattr(split, part)):
                file.write(",\n " if number else "\n ")
                file.write(json.dumps([row.id, fingerprint(row)]))
            file.write("]")
        file.write("}\n")


def fingerprint(row: Example) -> str:
    """Return 16 hex digits that stand for a row's input and label."""
    return hashlib.sha256(f"{row.content}\x1f{row.label}".encode()).hexdigest()[:16]


def _divided(
    data: Dataset, rows: Sequence[Example], share: float, seed: int, goal: Goal
) -> tuple[Sequence[Example], Sequence[Example]]:
    try:
        if "time" in data.columns:
            return latest(rows, share)
        return hold_out(rows, share, seed, strata=goal.divides)
    except BadData as error:
        if data.bound:
            why = f"`{data.path}` can't be divided: {data.bound}"
            raise BadData(why, "have a `split` column, or test with another --test FILE") from error
        raise BadData(f"`{data.path}`: {error.message}", error.hint) from error


def _name(data: Dataset, share: float, goal: Goal) -> str:
    if "time" in data.columns:
        return f"the latest {share:.0%}"
    if "group" in data.columns:
        return f"{share:.0%}, with no group on two sides,"
    return f"{'a stratified' if goal.divides else 'a random'} {share:.0%}"


def _seed(data: Dataset, seed: int) -> str:
    return "" if "time" in data.columns else f" by seed {seed}"


def _fresh(path: Path, held_out: Sequence[Example], learnt: Sequence[Example]) -> Sequence[Example]:
    """Return the test rows that are like none to learn from; raises if a group is on two sides."""
    found = unseen(held_out, learnt)
    if len(held_out) and not len(found):
        raise BadData(
            f"`{path}`: every row to test with is among those to learn from",
            "test with rows that are not in training, or leave it to hubtl to hold some out",
        )
    twice = on_two_sides(held_out, learnt)
    if twice:
        raise BadData(
            f"`{path}`: a group has rows to train on and rows to test with, such as {twice.id}",
            "mend the split, or leave the column of groups out",
        )
    return found


def _check_labels(path: Path, examples: Sequence[Example], goal: Goal) -> None:
    """Raise BadData where rows can't be split: one class only, or a class with one input."""
    if not goal.divides:
        return
    inputs = distinct_inputs(examples)
    if len(inputs) == 1:
        raise BadData(
            f"`{path}` has one label only: `{next(iter(inputs))}`",
            "there is nothing to tell apart: add rows with another label",
        )
    single = sorted(label for label, count in inputs.items() if count == 1)
    if single:
        names = ", ".join(f"`{label}`" for label in single[:SHOWN])
        raise BadData(
            f"`{path}`: {'labels' if len(single) > 1 else 'the label'} {names} "
            f"{'have' if len(single) > 1 else 'has'} one row, and learning takes one to learn "
            "from and one to test with",
            BY_NUMBER if are_measured(inputs) else "add rows, or leave that label out",
        )


def are_measured(labels: Collection[str]) -> bool:
    """Return whether labels are so many different numbers that they hardly name classes."""
    try:
        numbers = {float(label) for label in labels}
    except ValueError:
        return False
    return len(numbers) > MANY_NUMBERS


def _check_split(path: Path, split: Split, goal: Goal) -> None:
    labels = labels_of(split.train)
    known = goal.classes(labels)
    if not (goal.whole or known):
        raise BadData(f"`{path}`: no row to train on has anything to find", "add rows that have")
    told = labels if goal.ordered else known
    if not split.train or (len(told) == 1 and goal.whole):
        only = f"one label only: `{next(iter(told))}`" if split.train else "no rows"
        raise BadData(f"`{path}`: the rows to train on have {only}", "look at its split column")
    if not split.test:
        raise BadData(f"`{path}`: there are no rows to test with", "say --test FILE")
    others = goal.classes(labels_of(split.test) | labels_of(split.validation))
    strange = [label for label in others if label not in known]
    if strange:
        raise BadData(
            f"`{path}`: no row to train on has the label `{strange[0]}`, which test rows have",
            "add such rows to train on, or leave them out of the test",
        )
