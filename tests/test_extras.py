"""Without Pillow, soundfile, ONNX, psycopg and others all else works; what needs one says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from .conftest import ROOT, Said

HIDDEN = ("pil", "pillow", "soundfile", "_soundfile", "onnx", "matplotlib", "psycopg")
NOTED = ("pillow", "soundfile", "onnx", "matplotlib")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Run a hubtl command where all installed libraries are to be found, but for the hidden."""
    room = tmp_path_factory.mktemp("bare")
    venv.create(room / "plain", with_pip=False)
    libraries = room / "libraries"
    libraries.mkdir()
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.lower().startswith(HIDDEN) and each.suffix != ".pth":
            (libraries / each.name).symlink_to(each)
    inside = next((room / "plain").rglob("site-packages"))
    (inside / "libraries.pth").write_text(f"{libraries}\n{ROOT}\n")
    python = room / "plain" / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name

    def run(*words: str) -> Said:
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        command = [str(python), "-m", "hubtl", *words]
        done = subprocess.run(command, env=kept, capture_output=True, text=True)
        return Said(done.returncode, done.stdout, done.stderr)

    return run


def test_looking_around_needs_none_of_them(bare):
    assert bare("--help").code == 0
    found = bare("search", "--task", "image-classification", "--json")
    assert found.code == 0 and found.json["entries"]
    listed = bare("plugins", "--json").json
    assert {"image-classification", "audio-classification"} <= set(listed["tasks"])
    assert not [each for each in listed["plugins"] if each["broken"]]


@pytest.mark.parametrize(
    ("words", "task", "package", "extra"),
    [
        ("demo --modality vision", "image-classification", "pillow", "vision"),
        ("demo --modality speech", "audio-classification", "soundfile", "speech"),
        ("adapt image-classification photos", "image-classification", "pillow", "vision"),
        ("adapt audio-classification clips", "audio-classification", "soundfile", "speech"),
        ("export adapted --format onnx", "export to onnx", "onnx", "onnx"),
        ("serve --database postgresql://db/hub", "PostgreSQL", "psycopg", "postgres"),
    ],
)
def test_what_lacks_its_library_says_what_to_install(bare, words, task, package, extra):
    Path("photos").mkdir()
    Path("clips").mkdir()
    said = bare(*words.split())
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        f"error: {task} needs {package}, which is not installed\n\n"
        f"hint: pip install 'hubtl[{extra}]'\n"
    )
    assert not Path("hubtl-demo").exists()


def test_the_doctor_notes_what_is_missing_and_calls_nothing_broken(bare):
    said = bare("doctor", "--json")
    found = {each["what"]: each for each in json.loads(said.out)["findings"]}
    assert {found[name]["state"] for name in NOTED} == {"note"}
    assert found["pillow"]["how"] == "not installed; for image-classification"
    assert found["soundfile"]["hint"] == "pip install 'hubtl[speech]'"
    assert "broken" not in {each["state"] for each in found.values()}
