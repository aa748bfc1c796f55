"""The plain rival of every speech model: statistics of MFCCs and a linear model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...transfer.split import Example
from ..rivals import labels_by, numbers_by, scaled_ridge
from .clips import read_clip

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

RATE = 16_000
FRAME, STEP, WINDOW = 400, 160, 512
BANDS, COEFFICIENTS = 40, 20
# So many frames at once: a long clip's spectra would take more memory than the clip.
RUN = 4096
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)


def mfcc_labels(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return the labels that MFCC statistics + logistic regression give the test clips.

    An example's input is the path of its clip, which is read once.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def model(strength: float) -> Any:
        return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=300))

    return labels_by(model, STRENGTHS, _heard(train, test), train, test, seed)


def mfcc_numbers(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return the numbers that MFCC statistics + ridge regression give the test clips."""
    return numbers_by(scaled_ridge, _heard(train, test), train, test, seed)


def _heard(*parts: Sequence[Example]) -> Callable[[Sequence[Example]], NDArray[float32]]:
    """Return what gives the statistics of rows, made here once for each clip of all parts."""
    import numpy

    paths = dict.fromkeys(row.input for rows in parts for row in rows)
    heard = {path: statistics(mfcc(read_clip(path, RATE, trim=True))) for path in paths}
    return lambda rows: numpy.stack([heard[row.input] for row in rows])


def statistics(coefficients: NDArray[float32]) -> NDArray[float32]:
    """Return the mean, spread and spread of changes of MFCCs, of a whole clip and of its thirds.

    Whole and thirds together are a stronger rival than either: .63 right to .54 and .61 on what
    telephone prompts are about, .40 to .26 and .38 on digits by a voice that was not learnt.
    """
    import numpy

    parts = (coefficients, *numpy.array_split(coefficients, 3))
    facts = [f(0) for part in parts for f in (part.mean, part.std, numpy.diff(part, axis=0).std)]
    return numpy.concatenate(facts)


def mfcc(samples: NDArray[float32]) -> NDArray[float32]:
    """Return MFCCs [frames, 20] of samples at 16 kHz: 25 ms frames, 10 ms steps, 40 mel bands."""
    import numpy
    from scipy.fft import dct, rfft

    frames = numpy.lib.stride_tricks.sliding_window_view(samples, FRAME)[::STEP]
    window, bands = numpy.hamming(FRAME).astype("float32"), _mel_bands()
    found = []
    for start in range(0, len(frames), RUN):
        power = numpy.square(abs(rfft(frames[start : start + RUN] * window, WINDOW)))
        # The floor is about that of 16 bits, so that digital silence is not unlike all else.
        found.append(dct(numpy.log(power @ bands.T + 1e-8), norm="ortho")[:, :COEFFICIENTS])
    return numpy.concatenate(found)


def _mel_bands() -> NDArray[float32]:
    """Return triangles [bands, frequencies], evenly spaced in mel (O'Shaughnessy's) to 8 kHz."""
    import numpy

    mels = numpy.linspace(0, 2595 * numpy.log10(1 + RATE / 2 / 700), BANDS + 2)
    edges = (700 * (10 ** (mels / 2595) - 1))[:, None]
    hertz = numpy.fft.rfftfreq(WINDOW, 1 / RATE)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return numpy.maximum(0, numpy.minimum(rising, falling)).astype("float32")
