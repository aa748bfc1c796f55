"""The plain rivals of every vision model: pixels, or colours, and a linear model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...transfer.split import Example
from ..rivals import labels_by, numbers_by, scaled_ridge
from .pictures import read_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image
    from sklearn.linear_model import LogisticRegression

# Of thousands of standardised pixels each needs little weight; of shares of colours, much.
PIXEL_STRENGTHS = (0.001, 0.01, 0.1)
COLOUR_STRENGTHS = (1.0, 10.0, 100.0)
SIDE = 32
LEVELS = 8
# Enough pixels to count colours by, whatever the picture's size.
COUNTED = 128


def pixel_labels(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return the labels that the pixels of small copies + logistic regression give the test rows.

    An example's input is the path of its picture, which is read once.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def model(strength: float) -> Any:
        return make_pipeline(StandardScaler(), _regression(strength))

    return labels_by(model, PIXEL_STRENGTHS, _inputs(small_copy, train, test), train, test, seed)


def colour_labels(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return the labels that histograms of colour + logistic regression give the test rows.

    An example's input is the path of its picture, which is read once.
    """
    inputs = _inputs(_colours, train, test)
    return labels_by(_regression, COLOUR_STRENGTHS, inputs, train, test, seed)


def pixel_numbers(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return the numbers that the pixels of small copies + ridge regression give the test rows."""
    return numbers_by(scaled_ridge, _inputs(small_copy, train, test), train, test, seed)


def colour_numbers(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return the numbers that histograms of colour + ridge regression give the test rows."""
    from sklearn.linear_model import Ridge

    def model(alpha: float) -> Any:
        return Ridge(alpha=alpha)

    return numbers_by(model, _inputs(_colours, train, test), train, test, seed)


def _regression(strength: float) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=300)


def _inputs(
    features: Callable[[Image], NDArray[Any]], *parts: Sequence[Example]
) -> Callable[[Sequence[Example]], NDArray[Any]]:
    """Return what gives the features of rows, made here once for each picture of all parts."""
    import numpy

    paths = dict.fromkeys(row.input for rows in parts for row in rows)
    made = {path: features(read_picture(path)) for path in paths}
    return lambda rows: numpy.stack([made[row.input] for row in rows])


def small_copy(picture: Image) -> NDArray[Any]:
    """Return the pixels of a copy of SIDE x SIDE, from 0 to 1."""
    import numpy

    return numpy.asarray(picture.resize((SIDE, SIDE)), "float32").ravel() / 255


def _colours(picture: Image) -> NDArray[Any]:
    """Return the square root of the share of pixels of each of LEVELS³ colours."""
    import numpy
    from PIL.Image import Resampling

    # The nearest pixel, not a mean of several, which would be a colour that isn't there.
    pixels = numpy.asarray(picture.resize((COUNTED, COUNTED), Resampling.NEAREST), "int64")
    codes = (pixels * LEVELS // 256) @ (LEVELS**2, LEVELS, 1)
    counts = numpy.bincount(codes.ravel(), minlength=LEVELS**3)
    return numpy.sqrt(counts / codes.size).astype("float32")
