"""Make the 20 public clips of plugins/speech/probe_inputs: the same sounds each time.

python examples/make_probe_clips.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import butter, chirp, lfilter, sosfilt

RATE = 16_000
Sound = np.ndarray[Any, np.dtype[np.float64]]
NOISE = np.random.default_rng(2024)
VOWELS = {"a": (800, 1200, 2500), "i": (300, 2300, 3000), "u": (320, 800, 2300)}


def times(seconds: float, rate: int = RATE) -> Sound:
    """Return the time of each sample, in seconds."""
    return np.arange(round(seconds * rate)) / rate


def tone(hertz: float, seconds: float, rate: int = RATE) -> Sound:
    """Return a sine that fades in and out."""
    return 0.5 * faded(np.sin(2 * np.pi * hertz * times(seconds, rate)))


def sweep(first: float, last: float, seconds: float) -> Sound:
    """Return a tone that glides from one frequency to another."""
    return 0.5 * faded(chirp(times(seconds), first, seconds, last, method="logarithmic"))


def vowel(name: str, pitch: float, glide: float, seconds: float) -> Sound:
    """Return pulses of a gliding pitch through the formants of a vowel."""
    phase = np.cumsum(np.linspace(pitch, pitch * glide, len(times(seconds)))) / RATE
    sound = np.diff(np.floor(phase), prepend=0)
    for formant in VOWELS[name]:
        radius, angle = np.exp(-np.pi * 90 / RATE), 2 * np.pi * formant / RATE
        sound = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], sound)
    return 0.6 * faded(sound / abs(sound).max())


def hiss(low: float, high: float, seconds: float) -> Sound:
    """Return noise between two frequencies."""
    band = butter(4, [low, high], "bandpass", fs=RATE, output="sos")
    sound = sosfilt(band, NOISE.standard_normal(len(times(seconds))))
    return 0.4 * faded(sound / abs(sound).max())


def clicks(count: int, seconds: float) -> Sound:
    """Return clicks at even times, each dying away in some milliseconds."""
    inside = times(seconds) * count / seconds % 1 * seconds / count
    return 0.7 * np.exp(-inside * 400) * np.sin(2 * np.pi * 1500 * inside)


def faded(sound: Sound) -> Sound:
    """Return a sound with 10 ms of fading at each end."""
    ramp = np.minimum(1, np.arange(len(sound)) / 160)
    return sound * ramp * ramp[::-1]


def silence(seconds: float) -> Sound:
    """Return no sound."""
    return np.zeros(len(times(seconds)))


def joined(*parts: Sound) -> Sound:
    """Return sounds one after the other."""
    return np.concatenate(parts)


def clips() -> dict[str, tuple[Sound, int]]:
    """Return each file's name with its samples and their rate."""
    a, i, u = (vowel(name, 120, 0.9, 0.25) for name in "aiu")
    sounds = {
        "tone-low.flac": tone(220, 0.5),
        "tone-high.flac": tone(1760, 0.3),
        "chord.flac": (tone(262, 0.8) + tone(330, 0.8) + tone(392, 0.8)) / 3,
        "steps.flac": joined(*(tone(hertz, 0.15) for hertz in (262, 294, 330, 349, 392))),
        "sweep-up.flac": sweep(100, 4000, 0.7),
        "sweep-down.flac": sweep(3000, 200, 0.5),
        "vowel-a.flac": vowel("a", 110, 0.85, 0.5),
        "vowel-i-rising.flac": vowel("i", 180, 1.4, 0.5),
        "vowel-u-high.flac": vowel("u", 240, 0.9, 0.4),
        "vowels.flac": joined(a, i, u),
        "syllables.flac": joined(hiss(3000, 7000, 0.1), a, silence(0.05), hiss(2000, 5000, 0.1), i),
        "two-words.flac": joined(i, u, silence(0.4), hiss(3500, 7500, 0.15), a),
        "hiss-low.flac": hiss(200, 900, 0.3),
        "hiss-high.flac": hiss(3000, 7000, 0.3),
        "clicks.flac": clicks(5, 0.8),
        "knocks.flac": joined(silence(0.3), clicks(3, 0.3), silence(0.6), clicks(2, 0.2)),
        "beeps.flac": joined(tone(1000, 0.2), silence(0.2), tone(1000, 0.2), silence(0.2)),
        "stereo.flac": np.stack([tone(440, 0.4), vowel("a", 140, 1.0, 0.4)], axis=1),
    }
    narrow = {"rate-8k.flac": (tone(600, 0.5, 8_000), 8_000), "plain.wav": (tone(520, 0.4), RATE)}
    return {name: (sound, RATE) for name, sound in sounds.items()} | narrow


if __name__ == "__main__":
    for name, (sound, rate) in clips().items():
        soundfile.write(Path(sys.argv[1], name), sound, rate, subtype="PCM_16")
