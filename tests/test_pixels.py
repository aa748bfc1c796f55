"""The plain rivals of pictures: pixels, colours, and a logistic regression."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from PIL import Image

from hubtl.plugins.vision.rivals import colour_labels, pixel_labels
from hubtl.transfer.split import Example

BROWN = (200, 100, 50)


def rows(kind: str, count: int) -> list[Example]:
    """Return pictures of two labels that only their colour, or only their place, tells apart."""
    random, found = numpy.random.default_rng(len(kind) + count), []
    for number in range(count):
        label = ("one", "two")[number % 2]
        values = random.integers(0, 256, (24, 24, 3), "uint8")
        if kind == "colour":
            at = random.integers(0, 12, 2)
            values[at[0] : at[0] + 12, at[1] : at[1] + 12] = (
                BROWN if label == "one" else BROWN[::-1]
            )
        else:
            values[:, 12 * (number % 2) : 12 * (number % 2) + 12] //= 2
        path = Path(f"{kind}-{count}-{number}.png")
        Image.fromarray(values).save(path)
        found.append(Example(str(number), str(path), label))
    return found


@pytest.mark.parametrize(("kind", "rival"), [("colour", colour_labels), ("place", pixel_labels)])
def test_the_plain_rivals_learn_what_they_can_see(kind, rival):
    train, test = rows(kind, 60), rows(kind, 20)
    labels = rival(train, test, 0)
    assert labels == rival(train, test, 0)
    assert labels == [row.label for row in test]
