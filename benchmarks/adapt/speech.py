"""Sound: Whisper's encoder, as examples/pytorch/audio-classification.

With --freeze_feature_encoder False, since Whisper has none to freeze; 20 s of each clip at most,
padded to the 30 s that transformers' class wants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .training import Example, Rows, loaded

SECONDS = 20


def example(base: Path, rows: dict[str, Any], seed: int) -> Example:
    """Return what the example does: log-mel frames of a clip, some 20 s of it, 8 rows a batch."""
    import numpy
    from transformers import AutoFeatureExtractor

    from hubtl.plugins.speech.clips import read_clip

    extractor = AutoFeatureExtractor.from_pretrained(base)
    rate, name = extractor.sampling_rate, extractor.model_input_names[0]
    dice = numpy.random.default_rng(seed)

    def heard(path: str) -> dict[str, Any]:
        return {name: extractor(read_clip(path, rate, False), sampling_rate=rate)[name][0]}

    def some(path: str) -> dict[str, Any]:
        clip = read_clip(path, rate, False)
        start = int(dice.integers(0, max(0, len(clip) - SECONDS * rate) + 1))
        part = clip[start : start + SECONDS * rate]
        return {name: extractor(part, sampling_rate=rate)[name][0]}

    train = Rows(rows["train"], rows["labels"], some)
    test = Rows(rows["test"], rows["labels"], heard)
    model = loaded("AutoModelForAudioClassification", base, rows["labels"], seed)
    return Example(model, train, test, 8)
