"""Pairs of texts that belong together, and triplets, as pairs with a score: 1, or 0 if they don't.

A triplet's negative is what does not belong to its first text. Where there is none, the second text
of another row is put in its place. So that no such pair joins a text to learn from with one to test
with, rows are dealt into blocks that no split divides, and each finds its other row within its own;
where a user names groups, these are the blocks. Rows that share a text are of one kind, which is in
one block, and no pair is made within a kind: that two have one in common may bind them.
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

BLOCK = 4  # rows of a block at least, in the mean: a power of two of blocks, by their hashes
# Rows beside those of the largest kind of a block, as a share of these, and so many at most.
SHARE, ENOUGH = 1 / 8, 16
TOGETHER = ("positive", "answer", "passage")  # a second text that is called so belongs to its first
NEGATIVES = ("negative", "negatives", "hard_negative", "negative_1")
SCORE, OF_BLOCK = "1 together, 0 not", "block of pairs"


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's number in the table, its texts, what both have in common with like ones, its hash.

    The negative is empty where it has none; `part` is the part of a split that it is marked as.
    """

    number: int
    second: str
    negative: str
    alike: tuple[str, str]
    part: str
    group: str
    hash: str


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
    grouped = "group" in columns
    blocks = _blocks(rows, str(table.path), grouped)
    pairs = _pairs(rows, blocks)
    _check_parts(table, rows, pairs, grouped)
    of_block = {row.number: name for name, block in blocks.items() for row, _ in block}
    bound = {} if grouped else {"group": OF_BLOCK}
    alone = len(rows) - len(pairs)
    return Completed(
        _with_pairs(table, second, pairs, of_block),
        {**columns, **found, score.name: SCORE, **bound},
        f"there are no scores: {len(rows):,} pairs that belong together have 1, and {len(pairs):,} "
        f"that don't, {'with negatives of the table' if negative else 'made of two rows each'}, "
        "have 0 and stand behind the last line of each file"
        + (f"; {alone:,} of the first have no such other" if alone else ""),
        "" if grouped else "pairs that share a text, or of which others were made, stay together",
    )


def _check_single(table: Table, *columns: str | None) -> None:
    for column in columns:
        if column and column in table.nested:
            raise BadData(
                f"{table.nested[column]}: `{column}` has a list, and each text is one value",
                "write a row for each",
            )


def _check_parts(
    table: Table, rows: Sequence[_Row], pairs: Mapping[int, str], grouped: bool
) -> None:
    """Raise BadData where a part of the split has no pair that doesn't belong together."""
    made = {row.part for row in rows if row.number in pairs}
    without = sorted({row.part for row in rows} - made)
    if rows and not without:
        return
    where = f" of those marked `{without[0]}`" if any(without[:1]) else ""
    why = "those of a group are alike" if grouped else "they hang together by texts that they share"
    raise BadData(
        f"`{table.path}` has no score column, and no pair that doesn't belong together can be made "
        f"of its rows{where}: {why}",
        "add rows with other texts, a column of negatives, or one of scores",
    )


def _rows(
    table: Table, first: str, second: str, negative: str | None, columns: Mapping[str, str]
) -> Iterator[_Row]:
    """Yield the rows that have two texts."""
    split = find_split(table, columns.get("split"))
    wanted = [first, second, negative, split, columns.get("group")]
    number = 0
    for file, arrays in table.values(*(each or LINE for each in wanted)):
        cells = [
            array.to_pylist() if column else [""] * len(array)
            for column, array in zip(wanted, arrays, strict=True)
        ]
        for row in zip(*cells, strict=True):
            texts = [cell or "" for cell in row]
            if texts[0].strip() and texts[1].strip():
                alike = (like(texts[0]), like(texts[1]))
                part = table.files[file].part or texts[3].strip().casefold()
                # Those that are alike but for case are told apart last, so that order has no say.
                named = "\0".join((*alike, *texts[:2]))
                digest = hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()
                yield _Row(
                    number, texts[1], texts[2].strip(), alike, part, texts[4].strip(), digest
                )
            number += 1


Block = list[tuple[_Row, int]]  # rows by their hashes, and the kind that each is of


def _blocks(rows: Sequence[_Row], path: str, grouped: bool) -> dict[str, Block]:
    """Return rows in blocks of one part each, by names that hang on where and what they are.

    They are the groups where rows are `grouped`.
    """
    kinds: dict[int, Block] = defaultdict(list)
    groups: dict[tuple[str, str], Block] = defaultdict(list)
    for row, kind in zip(rows, _kinds(rows), strict=True):
        kinds[kind].append((row, kind))
        groups[row.part, row.group].append((row, kind))
    blocks = list(groups.values())
    if not grouped:
        ordered = sorted(kinds.values(), key=lambda each: (each[0][0].part, _first(each)))
        parts = groupby(ordered, key=lambda each: each[0][0].part)
        blocks = [block for _, those in parts for block in _dealt(list(those))]
    found: dict[str, Block] = {}
    for block in blocks:
        block.sort(key=lambda each: each[0].hash)
        told = "".join((path, *(row.hash for row, _ in block)))
        whole = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        found[f"{block[0][0].part}{whole[:16]}"] = block
    return found


def _first(kind: Block) -> str:
    return min(row.hash for row, _ in kind)


def _kinds(rows: Sequence[_Row]) -> list[int]:
    """Return a number a row, the same for rows of one part that share a text."""
    parents = list(range(len(rows)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = place = parents[parents[place]]
        return place

    seen: dict[tuple[str, str], int] = {}
    for place, row in enumerate(rows):
        for text in row.alike:
            parents[root(place)] = root(seen.setdefault((row.part, text), place))
    return [root(place) for place in range(len(rows))]


def _dealt(kinds: Sequence[Block]) -> Iterator[Block]:
    """Yield blocks of kinds that are near by their hashes, two at least in each if there are.

    There are a power of two of them, or fewer, so that a row more moves hardly any other.
    """
    rows = sum(map(len, kinds))
    bits = max(0, (rows // BLOCK).bit_length() - 1)
    block: Block = []
    largest, left = 0, len(kinds)
    for _, those in groupby(kinds, key=lambda kind: int(_first(kind)[:16], 16) >> (64 - bits)):
        for kind in those:
            block += kind
            largest, left = max(largest, len(kind)), left - 1
        others = len(block) - largest
        if others >= min(ENOUGH, SHARE * largest) and left != 1:  # which would be by itself
            yield block
            block, largest = [], 0
    if block:
        yield block


def _pairs(rows: Sequence[_Row], blocks: Mapping[str, Block]) -> dict[int, str]:
    """Return what does not belong to the first text of rows, by their numbers.

    That is a row's own negative, unless some row says that they belong together; where it has none,
    the second text of the next row of its block that is of another kind.
    """
    together = {each for row in rows for each in (row.alike, row.alike[::-1])}
    crossed = [each for block in blocks.values() for each in _crossed(block)]
    told = [(row, row.negative) for row in rows if row.negative]
    told += [(row, other) for row, other in crossed if not row.negative]
    return {
        row.number: other
        for row, other in told
        if (row.alike[0], like(other)) not in together and like(other) != row.alike[0]
    }


def _crossed(rows: Block) -> Iterator[tuple[_Row, str]]:
    """Yield each row with the second text of one of another kind, if any is.

    Kinds stand one behind another, and the rows of each take those behind it in turn: so of many
    rows of a kind no two have the same but where there are no others.
    """
    ranks = {kind: rank for rank, kind in enumerate(dict.fromkeys(kind for _, kind in rows))}
    laid = sorted(rows, key=lambda each: ranks[each[1]])  # by hashes within a kind, as they came
    for _, those in groupby(enumerate(laid), key=lambda each: each[1][1]):
        of_kind = list(those)
        behind = of_kind[-1][0] + 1
        others = len(laid) - len(of_kind)
        for turn, (_, (row, _)) in enumerate(of_kind):
            if others:
                yield row, laid[(behind + turn % others) % len(laid)][0].second


def _with_pairs(
    table: Table, second: str, pairs: Mapping[int, str], of_block: Mapping[int, str]
) -> Table:
    """Return a table with scores and blocks, and the rows of pairs with another second text."""
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
            made = [place for place, each in enumerate(numbers) if each in pairs]
            if made:
                lines = range(last[file] + 1, last[file] + 1 + len(made))
                last[file] += len(made)
                new: dict[str, list[str] | list[int]] = {
                    LINE: list(lines),
                    second: [pairs[numbers[place]] for place in made],
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
