"""200 broken clips: each is refused by name or can be read, in bounded time and memory."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

COUNT = 200
FORMATS = ("wav", "flac", "ogg", "mp3", "aiff")
# Checks each file of a folder as hubtl does, in a process whose time and memory can be told.
CHILD = """
import json, resource, sys, time
from pathlib import Path
from hubtl.plugins.speech.clips import check_clip, read_clip
from hubtl.registry.errors import BadData
import numpy, soundfile, scipy.signal

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = peak()
for path in sorted(Path(sys.argv[1]).iterdir()):
    print(path.name, file=sys.stderr, flush=True)
    start = time.perf_counter()
    try:
        check_clip(path)
        sound = read_clip(str(path), 16_000, True)
        assert sound.dtype == "float32" and sound.ndim == 1 and len(sound) >= 1_600
        assert numpy.isfinite(sound).all() and abs(sound).max() <= 1
        said = "passed"
    except BadData as error:
        assert f"`{path}`" in error.message and error.hint, error.message
        said = error.message.replace(str(path), "it")
    seconds = time.perf_counter() - start
    print(json.dumps([path.name, said, seconds, (peak() - before) / 1024]))
"""


def checked(folder: Path) -> dict[str, tuple[str, float, float]]:
    """Return what was said of each file, in what time [s], and the memory so far [MiB]."""
    command = [sys.executable, "-c", CHILD, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: (said, seconds, memory) for name, said, seconds, memory in lines}


def originals(room: Path) -> dict[str, list[bytes]]:
    """Return real encoded clips of each format: voice-like, stereo noise, at another rate."""
    noise = np.random.default_rng(0)
    time = np.arange(24_000) / 16_000
    buzz = 0.4 * np.sign(np.sin(2 * np.pi * 120 * time)) * np.sin(2 * np.pi * 2 * time) ** 2
    sounds = [(buzz, 16_000), (noise.uniform(-0.5, 0.5, (8_000, 2)), 22_050), (buzz[:9000], 48_000)]
    made: dict[str, list[bytes]] = {}
    for ending in FORMATS:
        for sound, rate in sounds:
            soundfile.write(room / f"x.{ending}", sound, rate)
            made.setdefault(ending, []).append((room / f"x.{ending}").read_bytes())
    return made


def broken(content: bytes, other: bytes, dice: random.Random) -> bytes:
    """Return a file that is cut, has bytes changed (often in its header), or is two in one."""
    spoilt = bytearray(content)
    for _ in range(dice.choice([1, 1, 2, 3])):
        reach = dice.choice([64, 512, len(spoilt)])
        at = dice.randrange(1, max(2, min(reach, len(spoilt))))
        match dice.choice(["cut", "flip", "flip", "splice", "number", "repeat"]):
            case "cut":
                del spoilt[at : at + dice.choice([1, 100, len(spoilt)])]
            case "flip":
                for place in dice.sample(range(len(spoilt)), min(len(spoilt), dice.randint(1, 30))):
                    if place < reach:
                        spoilt[place] ^= 1 << dice.randrange(8)
            case "splice":
                spoilt[at:] = other[dice.randrange(len(other)) :]
            case "number":
                odd = dice.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, dice.getrandbits(32)])
                spoilt[at : at + 4] = struct.pack(dice.choice("<>") + "I", odd)
            case "repeat":
                spoilt[at:at] = spoilt[at : at + 4096] * dice.choice([1, 20])
    return bytes(spoilt)


def test_broken_clips_are_refused_by_name_or_can_be_read(tmp_path):
    dice, real = random.Random(5), originals(tmp_path)
    folder = tmp_path / "broken"
    folder.mkdir()
    for number in range(COUNT):
        ending = FORMATS[number % len(FORMATS)]
        content = broken(dice.choice(real[ending]), dice.choice(real[dice.choice(FORMATS)]), dice)
        (folder / f"{number:03}.{ending}").write_bytes(content)
    said = checked(folder)
    assert len(said) == COUNT
    assert {name: seconds for name, (_, seconds, _) in said.items() if seconds > 5} == {}
    assert max(memory for *_, memory in said.values()) < 200
    outcomes = Counter(what == "passed" for what, *_ in said.values())
    assert min(outcomes.values()) > COUNT // 10, outcomes


def wav_header(rate: int, channels: int, size: int) -> bytes:
    block = channels * 2
    form = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * block, block, 16)
    return (
        b"RIFF"
        + struct.pack("<I", size + 36)
        + b"WAVEfmt "
        + form
        + b"data"
        + struct.pack("<I", size)
    )


def flac_of_silence(path: Path, seconds: int, frames_said: int) -> None:
    soundfile.write(path, np.zeros(16_000 * seconds, "int16"), 16_000)
    content = bytearray(path.read_bytes())
    content[21] = content[21] & 0xF0 | frames_said >> 32
    content[22:26] = struct.pack(">I", frames_said & 0xFFFFFFFF)
    path.write_bytes(content)


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    folder = tmp_path / "traps"
    folder.mkdir()
    hours = 10 * 3600 * 16_000
    with (folder / "10-hours.wav").open("wb") as file:
        file.write(wav_header(16_000, 1, hours * 2))
        file.truncate(44 + hours * 2)
    flac_of_silence(folder / "10-hours.flac", 20, hours)
    flac_of_silence(folder / "lies.flac", 20, 500 * 16_000)
    soundfile.write(folder / "one.mp3", np.zeros(16_000 * 60), 16_000)
    frames = (folder / "one.mp3").read_bytes()
    # Without the first frame, which tells the length, a reader has to look for all of them.
    (folder / "10-hours.mp3").write_bytes(frames[len(frames) // 10 :] * 667)
    (folder / "lies.wav").write_bytes(wav_header(16_000, 1, 10**9) + bytes(32_000))
    (folder / "1000-channels.wav").write_bytes(wav_header(16_000, 1000, 10**7) + bytes(10**7))
    with (folder / "huge.wav").open("wb") as file:
        file.write(wav_header(768_000, 1000, 2**32 - 2**20))
        file.truncate(2**32)
    return folder


def test_long_lying_and_wide_files_are_dealt_with_at_once_in_little_memory(traps):
    said: dict[str, Any] = checked(traps)
    assert {name: what for name, (what, *_) in said.items()} == {
        "10-hours.wav": "`it` is too long: 600.0 minutes",
        "10-hours.flac": "`it` is too long: 600.0 minutes",
        "10-hours.mp3": "`it` is too long: 604.0 minutes",
        "lies.flac": "`it` is damaged after 16.4 s",
        "lies.wav": "`it` is cut off: 32000 of 1000000000 bytes are there",
        "one.mp3": "passed",
        "1000-channels.wav": "passed",
        "huge.wav": "`it` has 2,146,959,000 samples",
    }
    assert max(seconds for _, seconds, _ in said.values()) < 5
    assert max(memory for *_, memory in said.values()) < 200
