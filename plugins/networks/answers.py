"""The end of a card's code: from logits to what `predict` says."""

from __future__ import annotations

ONE = """\
def predict(paths):
    return [labels[number] for number in logits(paths).argmax(1).tolist()]
"""
SEVERAL = """\
def choose(row):
    return [label for label, logit in zip(labels, row) if logit > 0]


def predict(paths):
    return [choose(row) for row in logits(paths).tolist()]
"""


def predict_code(*, several: bool) -> str:
    """Return the Python that defines `predict` for paths: the likeliest label, or all likely."""
    return SEVERAL if several else ONE
