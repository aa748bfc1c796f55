"""Pairs of texts that belong together, and triplets, as pairs with a score: 1, or 0 if they don't.

A triplet's negative is what does not belong to its first text. Where there is none, the second text
of another row is put in its place. So that no such pair joins a text to learn from with one to test
with, rows are dealt into blocks of 8 or more, which no split divides, and each finds its other row
within its own. Rows that share a text are in one block, and a pair that a row has is never made.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from ...registry.errors import BadData, BadOption
from ...transfer.batches import keep
from ...transfer.columns import Role, find_columns, find_split, of_numbers
from ...transfer.split import like
from ...transfer.table import LINE, Table
from ..completing import Completed

if TYPE_CHECKING:
    import pyarrow

BLOCK = 8  # rows, or more where they share texts or a group
TOGETHER = ("positive", "answer", "passage")  # a second text that is called so belongs to its first
NEGATIVES = ("negative", "negatives", "hard_negative", "negative_1")
SCORE, OF_BLOCK = "1 together, 0 not", "block of pairs"


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's number in the table, its texts (the third empty where it has none), what binds it."""

    number: int
    first: str
    second: str
    negative: str
    part: str
    group: str

    @property
    def texts(self) -> tuple[str, str]:
        """What its two texts have in common with others that are like them."""
        return like(self.first), like(self.second)


def with_scores(
    table: Table, parts: Sequence[Role], score: Role, columns: Mapping[str, str]
) -> Completed:
    """Return a table whose pairs have scores; as it is, where a column of it may be that.

    Raises BadData where a column of texts is lacking or no pair can be made, BadOption for times.
    """
    columns = {role: name for role, name in columns.items() if name not in (SCORE, OF_BLOCK)}
    has_scores = {each.strip().casefold() for each in table.columns} & {*of_numbers(score).names}
    if score.name in columns or has_scores:
        return Completed(table, columns)
    if "time" in columns:
        raise BadOption(
            "pairs without a score can't be divided by time: what doesn't belong together is made "
            "of two rows",
            "add a column of scores, or leave --time out",
        )
    found = find_columns(
        table, parts, {part.name: columns[part.name] for part in parts if part.name in columns}
    )
    first, second = (found[part.name] for part in parts)
    folded = {name.strip().casefold(): name for name in reversed(table.columns)}
    negative = next((folded[name] for name in NEGATIVES if name in folded), None)
    others = {*table.columns} - {first, second, negative, find_split(table, columns.get("split"))}
    if second.strip().casefold() not in TOGETHER and not negative and others - {*columns.values()}:
        return Completed(table, columns)  # one of them may be the score, by a name of its own
    _check_single(table, first, second, negative)
    rows = list(_rows(table, first, second, negative, columns))
    blocks = _blocks(rows)
    pairs = _negatives(rows) if negative else _crossed(blocks)
    if not pairs:
        raise BadData(
            f"`{table.path}` has no score column, and no pair that doesn't belong together can be "
            "made of its rows",
            "add rows with other texts, a column of negatives, or one of scores",
        )
    of_block = {row.number: name for name, block in blocks.items() for row in block}
    whole = _with_pairs(table, second, pairs, of_block)
    how = f"in `{negative}`" if negative else "made of two rows each"
    last = max(line for _, batch in table.batches for line in batch.column(LINE).to_pylist())
    told = (
        f"`{table.path.name}` has no scores: its {len(rows):,} pairs have 1, and {len(pairs):,} "
        f"that don't belong together, {how}, have 0 and stand behind line {last:,}"
    )
    # With both a split and groups of the user's own, that these agree is for hubtl to check.
    own = "group" in columns and find_split(table, columns.get("split"))
    bound = {} if own else {"group": OF_BLOCK}
    return Completed(whole, {**columns, **found, score.name: SCORE, **bound}, told)


def _check_single(table: Table, *columns: str | None) -> None:
    for column in columns:
        if column and column in table.nested:
            raise BadData(
                f"{table.nested[column]}: `{column}` has a list, and each text is one value",
                "write a row for each",
            )


def _rows(
    table: Table, first: str, second: str, negative: str | None, columns: Mapping[str, str]
) -> Iterator[_Row]:
    """Yield the rows that have two texts."""
    split = find_split(table, columns.get("split"))
    wanted = [first, second, negative, split, columns.get("group")]
    number = 0
    for file, arrays in table.values(*(each or "" for each in wanted)):
        cells = [
            array.to_pylist() if column else [""] * len(array)
            for column, array in zip(wanted, arrays, strict=True)
        ]
        for row in zip(*cells, strict=True):
            texts = [cell or "" for cell in row]
            if texts[0].strip() and texts[1].strip():
                part = table.files[file].part or texts[3]
                yield _Row(number, texts[0], texts[1], texts[2].strip(), part, texts[4])
            number += 1


def _blocks(rows: Sequence[_Row]) -> dict[str, list[_Row]]:
    """Return rows in blocks by a name that tells their texts; those of one part only in each."""
    kinds = _bound([row.texts for row in rows], rows)
    ties = [(*row.texts, f"\0{row.group}") if row.group else row.texts for row in rows]
    together: dict[int, list[int]] = defaultdict(list)
    for place, tie in enumerate(_bound(ties, rows)):
        together[tie].append(place)
    lists = [
        ([rows[place] for place in places], len({kinds[place] for place in places}))
        for places in together.values()
    ]
    lists.sort(key=lambda each: (each[0][0].part, min(map(_hash, each[0]))))
    dealt: list[list[_Row]] = []
    for _, those in groupby(lists, key=lambda each: each[0][0].part):
        dealt += _dealt(list(those))
    return {f"{block[0].part}{min(map(_hash, block))}": sorted(block, key=_hash) for block in dealt}


def _bound(ties: Sequence[Sequence[str]], rows: Sequence[_Row]) -> list[int]:
    """Return a number a row, the same for rows of one part that have a tie in common."""
    parents = list(range(len(rows)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = place = parents[parents[place]]
        return place

    seen: dict[tuple[str, str], int] = {}
    for place, (row, those) in enumerate(zip(rows, ties, strict=True)):
        for tie in those:
            parents[root(place)] = root(seen.setdefault((row.part, tie), place))
    return [root(place) for place in range(len(rows))]


def _dealt(lists: Sequence[tuple[Sequence[_Row], int]]) -> Iterator[list[_Row]]:
    """Yield blocks of rows that are bound together, and of how many kinds their texts are.

    A block has rows enough, and texts of two kinds or more: else nothing could be made of it.
    """
    rest = list(lists)
    while rest:
        count = _enough(rest)
        if not _enough(rest[count:]):
            count = len(rest)
        yield [row for each, _ in rest[:count] for row in each]
        rest = rest[count:]


def _enough(lists: Sequence[tuple[Sequence[_Row], int]]) -> int:
    """Return how many lists make a block, the first ones; 0 where all are too few."""
    rows = kinds = 0
    for count, (those, of_kinds) in enumerate(lists, start=1):
        rows, kinds = rows + len(those), kinds + of_kinds
        if rows >= BLOCK and kinds > 1:
            return count
    return 0


def _hash(row: _Row) -> str:
    return hashlib.sha256("\0".join(row.texts).encode()).hexdigest()[:16]


def _crossed(blocks: Mapping[str, Sequence[_Row]]) -> list[tuple[_Row, str]]:
    """Return a second text that does not belong to it for each row whose block has one."""
    found = []
    for block in blocks.values():
        together: dict[str, set[str]] = defaultdict(set)
        for row in block:
            first, second = row.texts
            together[first] |= {first, second}
            together[second] |= {first, second}
        for place, row in enumerate(block):
            for other in (*block[place + 1 :], *block[:place]):
                if other.texts[1] not in together[row.texts[0]]:
                    found.append((row, other.second))
                    break
    return found


def _negatives(rows: Sequence[_Row]) -> list[tuple[_Row, str]]:
    """Return each row with its own negative."""
    return [(row, row.negative) for row in rows if row.negative]


def _with_pairs(
    table: Table, second: str, pairs: Sequence[tuple[_Row, str]], of_block: Mapping[int, str]
) -> Table:
    """Return a table with scores and blocks, and the rows of pairs with another second text."""
    texts = {row.number: text for row, text in pairs}
    last: dict[int, int] = {}
    for file, batch in table.batches:
        last[file] = max(last.get(file, 0), *batch.column(LINE).to_pylist())

    def both() -> Iterator[tuple[int, pyarrow.RecordBatch]]:
        number = 0
        for file, batch in table.batches:
            numbers = list(range(number, number + batch.num_rows))
            number += batch.num_rows
            blocks = [of_block.get(each, "none") for each in numbers]
            yield file, _with(batch, {SCORE: ["1"] * len(numbers), OF_BLOCK: blocks})
            made = [place for place, each in enumerate(numbers) if each in texts]
            if made:
                lines = range(last[file] + 1, last[file] + 1 + len(made))
                last[file] += len(made)
                new: dict[str, list[str] | list[int]] = {
                    LINE: list(lines),
                    second: [texts[numbers[place]] for place in made],
                    SCORE: ["0"] * len(made),
                    OF_BLOCK: [blocks[place] for place in made],
                }
                yield file, _with(batch.take(made), new)

    columns = (*table.columns, SCORE, OF_BLOCK)
    return replace(table, columns=columns, batches=keep(both()))


def _with(
    batch: pyarrow.RecordBatch, new: Mapping[str, list[str] | list[int]]
) -> pyarrow.RecordBatch:
    """Return a batch with columns put in place of others or added."""
    import pyarrow

    kept = {name: batch.column(name) for name in batch.schema.names}
    kept |= {
        name: pyarrow.array(cells, kept[name].type if name in kept else pyarrow.string())
        for name, cells in new.items()
    }
    return pyarrow.RecordBatch.from_pydict(kept)
