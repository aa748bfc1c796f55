"""Twenty public clips, made for hubtl: their logits prove an adapter on any machine."""

from pathlib import Path

_NAMES = (
    "tone-low.flac",
    "tone-high.flac",
    "chord.flac",
    "steps.flac",
    "sweep-up.flac",
    "sweep-down.flac",
    "vowel-a.flac",
    "vowel-i-rising.flac",
    "vowel-u-high.flac",
    "vowels.flac",
    "syllables.flac",
    "two-words.flac",
    "hiss-low.flac",
    "hiss-high.flac",
    "clicks.flac",
    "knocks.flac",
    "beeps.flac",
    "stereo.flac",
    "rate-8k.flac",
    "plain.wav",
)
PROBE_INPUTS: tuple[str, ...] = tuple(str(Path(__file__).with_name(name)) for name in _NAMES)
