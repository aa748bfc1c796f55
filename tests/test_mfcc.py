"""The plain rival of sound: MFCCs and a logistic regression."""

from __future__ import annotations

import numpy as np

from hubtl.plugins.speech.rivals import mfcc, mfcc_labels, statistics
from hubtl.transfer.split import Example

from .test_clips import RATE, tone, wrote


def test_mfccs_tell_pitch_from_hiss_and_are_those_of_the_formula():
    sound = np.random.default_rng(0).normal(0, 0.1, RATE).astype("float32")
    found = mfcc(sound)
    assert found.shape == (98, 20)
    assert statistics(found).shape == (4 * 3 * 20,)
    assert np.allclose(mfcc(2 * sound)[:, 1:], found[:, 1:], atol=1e-2)
    quieter = (found - mfcc(sound / 2))[:, 0]
    assert np.allclose(quieter, np.sqrt(40) * np.log(4), atol=1e-2)


def test_the_rival_learns_what_can_be_heard_and_says_the_same_each_time():
    rows = []
    for number in range(24):
        kind = ("low", "high", "hiss")[number % 3]
        noise = np.random.default_rng(number).normal(0, 0.1, RATE // 2)
        hertz = {"low": 200, "high": 2000, "hiss": 0}[kind] * (1 + number / 100)
        path = wrote(f"{number}.flac", tone(hertz, RATE, 0.5) + noise / (1 + 9 * (kind != "hiss")))
        rows.append(Example(str(number), str(path), kind))
    train, test = rows[:18], rows[18:]
    assert mfcc_labels(train, test, 0) == [row.label for row in test]
    assert mfcc_labels(train, test, 0) == mfcc_labels(train, test, 0)


def test_the_rival_takes_few_clips_and_tiny_ones():
    rows = [
        Example(str(n), str(wrote(f"{n}.wav", np.full(n, 0.5))), "ab"[n % 2]) for n in range(1, 4)
    ]
    assert len(mfcc_labels(rows[:2], rows, 0)) == 3
