"""From a user's file to rows that a task can learn from, with all that is wrong told at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .plugins.hookspecs import Task
from .registry.errors import BadData
from .registry.fingerprint import rows_fingerprint
from .transfer.columns import PARTS, find_columns, find_split
from .transfer.split import Example, Split, hold_out
from .transfer.table import Table, read_table

SHOWN = 5
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file's rows for one task: which columns they came from, and each row's part."""

    path: Path
    columns: Mapping[str, str]
    examples: tuple[Example, ...]
    parts: Mapping[str, tuple[Example, ...]]

    @property
    def fingerprint(self) -> str:
        """A hash of all inputs and labels, whatever their order."""
        return rows_fingerprint((row.input, row.label) for row in self.examples)


def read_dataset(path: Path, task: Task, columns: Mapping[str, str]) -> Dataset:
    """Return a file's labelled rows; raises BadData that names the lines at fault."""
    table = read_table(path)
    named = {role: name for role, name in columns.items() if role != "split"}
    split = find_split(table, columns.get("split"))
    found = find_columns(table, task.roles, named)
    input_role, label_role = (role.name for role in task.roles)
    _check_cells(table, found, (input_role, label_role))
    parts: dict[str, list[Example]] = {part: [] for part in ("train", "validation", "test")}
    examples = []
    for row in table.rows:
        cells = row.cells
        label = cells[found[label_role]].strip()
        example = Example(f"{path.name}:{row.line}", cells[found[input_role]], label)
        examples.append(example)
        if split:
            parts[PARTS[cells[split].strip().casefold()]].append(example)
    shown = {**found, **({"split": split} if split else {})}
    return Dataset(path, shown, tuple(examples), {p: tuple(r) for p, r in parts.items()})


def read_inputs(path: Path, task: Task, columns: Mapping[str, str]) -> list[str]:
    """Return the inputs of every row of a file, in order; labels are not needed."""
    table = read_table(path)
    role = task.roles[0]
    named = {name: column for name, column in columns.items() if name == role.name}
    found = find_columns(table, (role,), named)
    return [row.cells.get(found[role.name], "") for row in table.rows]


def test_rows(data: Dataset) -> tuple[Example, ...]:
    """Return the rows to judge by: those marked as test, or all where none is marked."""
    return data.parts["test"] or data.examples


def split_rows(data: Dataset, test: Dataset | None, seed: int, *, validates: bool) -> Split:
    """Return train, validation and test rows, by the file's own split where it has one."""
    marked = any(data.parts.values())
    validation = data.parts["validation"]
    if test is not None:
        kept = data.parts["train"] if marked else data.examples
        held_out, how = test_rows(test), "test rows from a file of their own"
    elif data.parts["test"]:
        kept, held_out, how = data.parts["train"], data.parts["test"], "split as the file says"
    else:
        _check_classes(data.path, data.examples)
        rows = data.parts["train"] if marked else data.examples
        kept, held_out = hold_out(rows, TEST_SHARE, seed)
        how = f"a stratified {TEST_SHARE:.0%} held out by seed {seed}"
    if validates and not validation:
        kept, validation = hold_out(kept, VALIDATION_SHARE, seed + 1)
        how += f", {VALIDATION_SHARE:.0%} of the rest to validate"
    seen = {row.input for row in (*kept, *validation)}
    fresh = [row for row in held_out if row.input not in seen]
    if held_out and not fresh:
        raise BadData(
            f"`{data.path}`: every row to test with is among those to learn from",
            "test with rows that are not in training, or leave it to hubtl to hold some out",
        )
    if len(fresh) < len(held_out):
        how += f"; {len(held_out) - len(fresh)} test rows dropped that are in training too"
    split = Split(tuple(kept), tuple(validation), tuple(fresh), how)
    _check_split(data.path, split)
    return split


def _check_cells(table: Table, columns: Mapping[str, str], roles: Sequence[str]) -> None:
    for role in roles:
        empty = [row.line for row in table.rows if not row.cells.get(columns[role], "").strip()]
        if empty:
            lines = ", ".join(map(str, empty[:SHOWN])) + ("…" if len(empty) > SHOWN else "")
            count = f"{len(empty)} rows have" if len(empty) > 1 else "a row has"
            raise BadData(
                f"`{table.path}`: {count} an empty {role} "
                f"(line{'s' if len(empty) > 1 else ''} {lines})",
                f"fill in or remove {'them' if len(empty) > 1 else 'it'}, then run it again",
            )


def _check_classes(path: Path, examples: Sequence[Example]) -> None:
    """Raise BadData where rows can't be split: one class only, or a class with one input."""
    inputs = Counter(label for _, label in {(row.input, row.label) for row in examples})
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
            "add rows, or leave that label out",
        )


def _check_split(path: Path, split: Split) -> None:
    known = {row.label for row in split.train}
    if len(known) < 2:
        only = f"one label only: `{next(iter(known))}`" if known else "no rows"
        raise BadData(f"`{path}`: the rows to train on have {only}", "look at its split column")
    if not split.test:
        raise BadData(f"`{path}`: there are no rows to test with", "say --test FILE")
    strange = sorted({row.label for row in (*split.test, *split.validation)} - known)
    if strange:
        raise BadData(
            f"`{path}`: no row to train on has the label `{strange[0]}`, which test rows have",
            "add such rows to train on, or leave them out of the test",
        )
