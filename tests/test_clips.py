"""Clips: what read_clip promises, what check_clip refuses, and what ships to prove adapters."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from hubtl.plugins.speech.clips import (
    ENDINGS,
    Heard,
    check_clip,
    describe_clips,
    hear,
    read_clip,
    seconds_of,
)
from hubtl.plugins.speech.probe_inputs import PROBE_INPUTS
from hubtl.registry.errors import BadData

Sound = np.ndarray[Any, Any]
RATE = 16_000


def tone(hertz: float, rate: int, seconds: float = 1.0, level: float = 0.5) -> Sound:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def wrote(name: str, sound: Sound, rate: int = RATE, **how: str) -> Path:
    path = Path(name)
    soundfile.write(path, sound, rate, **how)
    return path


def read(path: Path, trim: bool = False) -> Sound:
    return read_clip(str(path), RATE, trim)


def loudest_hertz(sound: Sound) -> float:
    spectrum = abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18))
    return float(spectrum.argmax() * RATE / (1 << 18))


def level(sound: Sound) -> float:
    """Return the amplitude of a sine, away from its ends."""
    return float(np.sqrt(2 * np.square(sound[1600:-1600]).mean()))


def refused(path: Path) -> str:
    with pytest.raises(BadData) as caught:
        check_clip(path)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    "rate", [1_000, 8_000, 11_025, 22_050, 44_099, 44_100, 48_000, 96_000, 768_000]
)
def test_a_tone_keeps_its_pitch_its_level_and_its_length_from_any_rate(rate):
    sound = read(wrote("a.wav", tone(440, rate), rate))
    assert sound.dtype == "float32"
    assert len(sound) == pytest.approx(RATE, abs=2)
    assert loudest_hertz(sound) == pytest.approx(440, abs=0.3)
    assert level(sound) == pytest.approx(0.5, rel=0.01 if rate > 1_000 else 0.1)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_what_the_new_rate_has_no_room_for_is_gone_and_not_folded_back(rate):
    sound = read(wrote("a.wav", tone(10_000, rate), rate))
    assert level(sound) < 0.5 * 10 ** (-50 / 20)


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (8_000, 1), (48_000, 12), (7_919, 3)])
def test_in_blocks_a_clip_is_resampled_as_it_would_be_at_once(rate, channels):
    sound = np.random.default_rng(0).uniform(-0.4, 0.4, (9 * rate + 17, channels))
    path = wrote("a.wav", sound, rate, subtype="FLOAT")
    ratio = Fraction(RATE, rate).limit_denominator(1000)
    at_once = resample_poly(sound.mean(1), ratio.numerator, ratio.denominator)
    assert abs(read(path)[: len(at_once)] - at_once).max() < 1e-5


def test_at_the_same_rate_nothing_is_changed():
    sound = np.random.default_rng(0).integers(-(2**15), 2**15, RATE).astype("int16")
    assert np.array_equal(read(wrote("a.wav", sound)), sound / np.float32(2**15))


def test_channels_are_averaged():
    left, right = tone(440, RATE), tone(1000, RATE)
    sound = read(wrote("a.flac", np.stack([left, right], axis=1)))
    assert abs(sound - (left + right) / 2).max() < 1e-4


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_width_of_sample_gives_the_same_sound(subtype):
    sound = tone(440, RATE)
    error = abs(read(wrote("a.wav", sound, subtype=subtype)) - sound).max()
    assert error < (0.01 if subtype == "PCM_U8" else 1e-4)


@pytest.mark.parametrize(
    ("name", "format", "subtype"),
    [
        ("a.wav", "WAV", "PCM_16"),
        ("a.wav", "WAV", "ULAW"),
        ("a.flac", "FLAC", "PCM_24"),
        ("a.ogg", "OGG", "VORBIS"),
        ("a.opus", "OGG", "OPUS"),
        ("a.mp3", "MP3", "MPEG_LAYER_III"),
        ("a.aiff", "AIFF", "PCM_16"),
        ("a.au", "AU", "PCM_16"),
        ("a.caf", "CAF", "ALAC_16"),
        ("a.w64", "W64", "PCM_16"),
        ("a.sph", "NIST", "PCM_16"),
        ("lies.flac", "MP3", "MPEG_LAYER_III"),
    ],
)
def test_every_format_passes_the_check_and_keeps_the_tone(name, format, subtype):
    path = wrote(name, tone(440, RATE), format=format, subtype=subtype)
    assert path.suffix in ENDINGS
    check_clip(path)
    sound = read(path)
    assert loudest_hertz(sound) == pytest.approx(440, abs=0.3)
    assert level(sound) == pytest.approx(0.5, rel=0.15 if subtype == "OPUS" else 0.03)
    assert seconds_of(str(path)) == pytest.approx(1, abs=0.1)


def test_silence_at_the_ends_is_trimmed_and_50_ms_of_it_kept():
    rest = np.random.default_rng(0).normal(0, 1e-4, RATE)
    path = wrote("a.flac", np.concatenate([rest, tone(440, RATE), rest, tone(440, RATE), rest]))
    assert len(read(path)) == 5 * RATE
    trimmed = read(path, trim=True)
    assert len(trimmed) == pytest.approx(3 * RATE + 0.1 * RATE, abs=0.04 * RATE)
    assert level(trimmed[800 : 800 + RATE]) == pytest.approx(0.5, rel=0.02)


def test_an_offset_is_not_taken_for_sound():
    sound = np.concatenate([np.zeros(RATE), tone(440, RATE), np.zeros(RATE)]) + 0.1
    assert len(read(wrote("a.wav", sound), trim=True)) == pytest.approx(1.1 * RATE, abs=640)


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_a_silent_clip_stays_as_it_is(offset):
    assert len(read(wrote("a.wav", np.full(RATE, offset)), trim=True)) == RATE


@pytest.mark.parametrize("frames", [0, 1, 100, 1599])
@pytest.mark.parametrize("trim", [False, True])
def test_a_tiny_clip_is_padded_to_a_tenth_of_a_second(frames, trim):
    sound = read(wrote("a.wav", np.full(frames, 0.5)), trim)
    assert len(sound) == RATE // 10 and not sound[frames:].any()


def test_nan_and_infinity_are_silence_and_loud_floats_are_scaled_as_a_whole():
    sound = tone(440, RATE, level=20_000)
    spoilt = sound.copy()
    spoilt[[10, 20, 30]] = np.nan, np.inf, -np.inf
    path = wrote("a.wav", spoilt, subtype="FLOAT")
    check_clip(path)
    read_back = read(path)
    assert not read_back[[10, 20, 30]].any()
    assert level(read_back) == pytest.approx(1, rel=0.01)
    assert loudest_hertz(read_back) == pytest.approx(440, abs=0.3)
    loudest = np.tile([3e38, -3e38], RATE)
    assert abs(read(wrote("a.wav", loudest, 44_100, subtype="FLOAT"))).max() <= 1


def test_the_source_of_read_clip_runs_by_itself_as_in_a_card():
    path = wrote("a.ogg", tone(440, 22_050), 22_050)
    source = inspect.getsource(read_clip)
    assert max(map(len, source.splitlines())) <= 88
    names: dict[str, Any] = {}
    exec(source, names)
    assert np.array_equal(names["read_clip"](str(path), RATE, True), read(path, trim=True))


def test_the_first_ten_minutes_are_read_and_no_more():
    path = wrote("long.flac", np.zeros(8_000 * 601, "int16"), 8_000)
    assert len(read(path)) == 600 * RATE
    assert seconds_of(str(path)) == 600
    assert refused(path) == "`long.flac` is too long: 10.0 minutes"


def test_a_file_that_is_no_sound_is_named_with_what_is_wrong():
    wrote("sound.mat", tone(440, RATE), format="MAT5")
    for name, content, wrong in [
        ("none.wav", None, "does not exist"),
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"hello " * 100, "is not a sound file, or a damaged one"),
        ("text.mp3", b"hello " * 100, "is not a sound file, or a damaged one"),
        ("raw.raw", bytes(1000), "is raw, which hubtl does not read"),
        ("a.wma", b"0&\xb2u\x8ef\xcf\x11" + bytes(99), "is wma, which hubtl does not read"),
        ("a.wav", b"\0\0\0\x20ftypM4A " + bytes(99), "is m4a or mp4, which hubtl does not read"),
        ("a.ogg", b"\x1aE\xdf\xa3" + bytes(99), "is webm, which hubtl does not read"),
        ("a.mat", Path("sound.mat").read_bytes(), "is mat5, which hubtl does not read"),
        ("a.amr", b"#!AMR\n" + bytes(99), "is amr, which hubtl does not read"),
        ("a.aac", b"\xff\xf1\x50\x80" + bytes(99), "is aac, which hubtl does not read"),
    ]:
        if content is not None:
            Path(name).write_bytes(content)
        assert refused(Path(name)) == f"`{name}` {wrong}"


def test_the_hint_is_a_command_that_can_be_typed():
    for name, command in [
        ("my song.m4a", "ffmpeg -i 'my song.m4a' 'my song.flac'"),
        ("a.flac", "ffmpeg -i a.flac a.wav"),
    ]:
        Path(name).write_bytes(bytes(100))
        with pytest.raises(BadData) as caught:
            check_clip(Path(name))
        assert caught.value.hint.endswith(f": {command}")


def test_a_folder_a_pipe_and_a_dead_link_are_refused_without_waiting():
    Path("folder.wav").mkdir()
    os.mkfifo("pipe.wav")
    Path("link.wav").symlink_to("nowhere")
    for name in ("folder.wav", "pipe.wav"):
        assert refused(Path(name)) == f"`{name}` is not a file"
    assert refused(Path("link.wav")) == "`link.wav` does not exist"
    endless = Path("x" * 300 + ".wav")
    assert refused(endless) == f"`{endless}` can't be read: File name too long"


def test_no_frames_and_absurd_rates_are_refused():
    assert refused(wrote("a.wav", np.zeros(0))) == "`a.wav` has no sound in it"
    for rate in (999, 768_001):
        path = wrote("a.wav", np.zeros(100), rate)
        assert refused(path) == f"`a.wav` says that it has {rate:,} samples a second"


def test_a_clip_is_heard_as_silent_or_distorted():
    loud = np.clip(tone(440, RATE, level=3), -1, 1)
    assert hear(wrote("a.wav", tone(440, RATE))) == Heard(1, pytest.approx(0.5, abs=1e-3), False)
    assert hear(wrote("a.wav", loud)) == Heard(1, pytest.approx(1, abs=1e-3), True)
    touching = tone(440, RATE, level=1)
    assert not hear(wrote("a.wav", touching)).clipped
    quiet = hear(wrote("a.wav", tone(440, RATE, level=0.0009)))
    assert quiet.silent and not quiet.clipped
    opposite = np.stack([tone(440, RATE), -tone(440, RATE)], axis=1)
    assert hear(wrote("a.wav", opposite)).silent


def test_clips_are_described_in_a_line():
    clips = [Heard(1, 0.5, False), Heard(2, 1, True), Heard(3, 0, False)]
    assert describe_clips(clips) == "3 clips of 2.0 s on average, 1 silent, 1 distorted"
    assert describe_clips(clips[:1]) == "1 clip of 1.0 s on average"
    assert describe_clips([]) == "no clips"


def test_twenty_public_clips_of_many_kinds_ship_and_pass():
    heard = [hear(Path(path)) for path in PROBE_INPUTS]
    assert len(set(PROBE_INPUTS)) == 20
    assert {path.name for path in Path(PROBE_INPUTS[0]).parent.glob("*.[fw]*")} == {
        Path(path).name for path in PROBE_INPUTS
    }
    assert all(0.29 < clip.seconds < 1.51 and not clip.silent for clip in heard)
    assert not any(clip.clipped for clip in heard)
    assert sum(Path(path).stat().st_size for path in PROBE_INPUTS) < 250_000
    found = {(info.samplerate, info.channels) for info in map(soundfile.info, PROBE_INPUTS)}
    assert found == {(16_000, 1), (16_000, 2), (8_000, 1)}


def test_naming_the_public_clips_loads_no_soundfile():
    code = (
        "import sys, hubtl.plugins.speech.probe_inputs, hubtl.plugins.speech.clips\n"
        "import hubtl.plugins.speech.rivals\n"
        "print([m for m in ('soundfile', 'scipy', 'sklearn', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
