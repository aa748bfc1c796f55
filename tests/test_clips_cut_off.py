"""Clips that are cut off, or say a wrong length, are refused; what was streamed is read."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from hubtl.plugins.speech.clips import (
    check_clip,
    hear,
)

from .test_clips import RATE, read, refused, tone, wrote


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.au", "a.w64", "a.rf64", "a.mp3"])
def test_a_file_that_was_cut_off_is_refused(name):
    path = wrote(name, np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE))
    check_clip(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    assert refused(path).startswith(f"`{name}` is cut off: ")


def test_a_flac_that_was_cut_off_is_damaged():
    path = wrote("a.flac", np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refused(path).startswith("`a.flac` is damaged after ")


def with_data_size(path: Path, size: int) -> Path:
    content = bytearray(path.read_bytes())
    at = content.find(b"data")
    content[at + 4 : at + 8] = struct.pack("<I", size)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000, 0xFFFFFFFF - 36])
def test_a_wav_that_was_streamed_and_never_told_its_length_is_read_to_its_end(size):
    path = with_data_size(wrote("a.wav", tone(440, RATE)), size)
    assert hear(path).seconds == 1
    assert len(read(path)) == RATE


def test_a_wav_that_only_as_a_whole_says_a_wrong_length_passes():
    path = wrote("a.wav", tone(440, RATE))
    content = bytearray(path.read_bytes())
    content[4:8] = struct.pack("<I", 1_000_000)
    path.write_bytes(content)
    check_clip(path)


def test_a_wav_whose_header_lies_about_its_length_is_refused():
    path = with_data_size(wrote("a.wav", tone(440, RATE)), 1_000_000)
    assert refused(path) == "`a.wav` is cut off: 32000 of 1000000 bytes are there"


def test_a_flac_that_does_not_say_its_length_is_refused_with_the_way_on():
    path = wrote("a.flac", tone(440, RATE))
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert refused(path) == "`a.flac` does not say how long it is"
