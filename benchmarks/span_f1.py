"""Whether hubtl counts spans as seqeval does: both judge the same drawn tags.

    pip install --no-deps seqeval==1.2.2
    python -m benchmarks.span_f1 [--sets 3000] [--seed 0]

Each set is 1 to 6 sentences of 1 to 8 words, true tags and said ones, of 1 to 3 types, half of the
sets by IOB2's signs and half by IOBES's. Signs are drawn freely, so spans also begin with I or E
and end without an E, as models say them; what is said is drawn anew for a third of the words.
Prints in how many sets each figure differs; macro F1 apart where nothing is there or found.
"""

from __future__ import annotations

import argparse
import random
import warnings
from collections import Counter
from itertools import product

from seqeval.metrics import f1_score, precision_score, recall_score

from hubtl.transfer.measure import values
from hubtl.transfer.spans import SPANS
from hubtl.transfer.written_spans import from_tags, written

Tags = list[list[str]]


def drawn(dice: random.Random, signs: str) -> tuple[Tags, Tags]:
    """Return the tags of some sentences, and what is said of them."""
    kinds = "ABC"[: dice.randint(1, 3)]
    tags = [f"{sign}-{kind}" for sign, kind in product(signs, kinds)]
    tags += ["O"] * len(tags)
    true = [dice.choices(tags, k=dice.randint(1, 8)) for _ in range(dice.randint(1, 6))]
    said = [[dice.choice(tags) if dice.random() < 1 / 3 else tag for tag in row] for row in true]
    return true, said


def ours(true: Tags, said: Tags) -> dict[str, float]:
    """Return hubtl's figures."""
    labels = [
        [written(from_tags(row, [[n, n + 1] for n in range(len(row))])) for row in rows]
        for rows in (true, said)
    ]
    return values(*labels, SPANS.metrics)


def theirs(true: Tags, said: Tags) -> dict[str, float]:
    """Return seqeval's figures, by its rules where it is told no scheme."""
    found = {"f1": f1_score, "precision": precision_score, "recall": recall_score}
    figures = {name: float(measure(true, said)) for name, measure in found.items()}
    try:
        return {**figures, "macro_f1": float(f1_score(true, said, average="macro"))}
    except ValueError:  # of no type at all it takes no mean
        return figures


def main() -> None:
    """Draw the sets, and print where both differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sets", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    dice, differ, empty = random.Random(asked.seed), Counter[str](), 0
    warnings.simplefilter("ignore")  # seqeval tells of each type that is never said
    for number in range(asked.sets):
        true, said = drawn(dice, ("BI", "BIES")[number % 2])
        own, other = ours(true, said), theirs(true, said)
        nothing = all(tag == "O" for rows in (true, said) for row in rows for tag in row)
        empty += nothing
        for name in own.keys() - ({"macro_f1"} if nothing else set()):
            differ[name] += name not in other or abs(own[name] - other[name]) > 1e-9
    print(f"{asked.sets} sets, {empty} in which nothing is there or found; they differ in", *(
        f"{name} {count}" for name, count in sorted(differ.items())
    ), sep=", ")  # fmt: skip


if __name__ == "__main__":
    main()
