"""Files that can't be used are told before work: all of one run, each by its name and its row."""

from __future__ import annotations

from pathlib import Path

import pytest

import hubtl
from hubtl.registry.errors import HubtlError

from .tiny import clip_folder, picture_folder

CUT = b"\x89PNG"


def told(task: str, data: str) -> list[str]:
    """Return the lines of the error that adapting to data ends with."""
    with pytest.raises(HubtlError) as caught:
        hubtl.adapt(task, data)
    return caught.value.message.splitlines()


def test_a_folders_broken_files_are_told_at_once_and_nothing_is_written(hubtl_cli):
    picture_folder(Path("photos"))
    broken = [Path("photos", "red", f"{number}.png") for number in range(7)]
    for path in broken:
        path.write_bytes(CUT)
    said = hubtl_cli("adapt image-classification photos")
    assert (said.code, said.out) == (1, "")
    lines = said.err.splitlines()
    assert lines[0] == "error: `photos`: 7 of its files can't be used:"
    what = "is cut off or damaged, from its first bytes on"
    assert lines[1:7] == [*(f"- `{path}` {what}" for path in broken[:5]), "- and 2 more"]
    assert lines[-1].startswith("hint: copy or download it anew")
    assert [path.name for path in Path().iterdir()] == ["photos"]


def test_a_tables_broken_files_are_told_with_their_rows():
    clip_folder(Path("calls"))
    Path("calls", "low", "1.wav").write_bytes(b"RIFF")
    rows = "low/0.wav,a\nlow/1.wav,a\nhigh/0.wav,b\nhigh/99.wav,b\n"
    Path("calls", "calls.csv").write_text(f"audio,label\n{rows}")
    assert told("audio-classification", "calls/calls.csv") == [
        "`calls/calls.csv`: 2 of its files can't be used:",
        "- `calls/low/1.wav` is not a sound file, or a damaged one (line 3)",
        "- there is no file `calls/high/99.wav` (line 5)",
    ]


def test_one_broken_file_is_an_error_of_its_own():
    picture_folder(Path("photos"))
    Path("photos", "red", "3.png").write_bytes(b"")
    assert told("image-classification", "photos") == ["`photos/red/3.png` is empty"]
