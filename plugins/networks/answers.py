"""The end of a card's code: from logits to what `predict` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ONE = """\
def predict({inputs}):
    return [labels[number] for number in logits({inputs}).argmax(1).tolist()]
"""
SEVERAL = """\
def choose(row):
    return [label for label, logit in zip(labels, row) if logit > 0]


def predict({inputs}):
    return [choose(row) for row in logits({inputs}).tolist()]
"""
NUMBERS = """\
def choose(row):
    return row[0]


def predict({inputs}):
    return [choose(row) for row in logits({inputs}).tolist()]
"""


def predict_code(options: Mapping[str, Any], inputs: str = "paths") -> str:
    """Return the Python that defines `predict`: the likeliest label of each input, or all likely.

    That is by a task's options, of which `several` may be one, or `numbers`: then it is a number.
    """
    code = SEVERAL if options.get("several") else NUMBERS if options.get("numbers") else ONE
    return code.format(inputs=inputs)
