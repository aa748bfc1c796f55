"""`predict`: inputs as the user names them, each looked into before work, one prediction each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hubtl
from hubtl.asked import Asked, asked_for
from hubtl.plugins.manager import plugins
from hubtl.registry.errors import HubtlError

from .conftest import Said
from .tiny import hub_of, picture_folder

PICTURE = plugins().task("image-classification").roles[0]
TEXT = plugins().task("text-classification").roles[0]


def piped(line: str, lines: bytes) -> Said:
    """Run a command with these lines as its standard input."""
    command = [sys.executable, "-m", "hubtl", *line.split()]
    done = subprocess.run(command, input=lines, capture_output=True)
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def refused(*words: str) -> str:
    with pytest.raises(HubtlError) as caught:
        asked_for(PICTURE, words)
    return f"{caught.value.message} | {caught.value.hint}"


@pytest.fixture
def photos() -> Path:
    """A folder of six pictures in three folders, with files beside them that are none."""
    folder = picture_folder(Path("photos"), 2)
    for name in ("red/notes.txt", ".hidden.png", "blue/.DS_Store"):
        (folder / name).write_text("no picture")
    return folder


def test_a_folder_is_the_files_below_it_that_the_task_reads_in_order(photos):
    asked = asked_for(PICTURE, ["photos", "photos/red/1.png", "./photos/blue/"])
    below = [f"{colour}/{number}.png" for colour in ("blue", "green", "red") for number in (0, 1)]
    words = [*(str(Path("photos", each)) for each in below), "photos/red/1.png"]
    words += [str(Path("photos", "blue", f"{number}.png")) for number in (0, 1)]
    assert asked == Asked(words, [str(Path(word).absolute()) for word in words])


def test_a_file_with_an_unknown_ending_is_what_its_bytes_say(photos):
    (photos / "red" / "0.png").rename("red.photo")
    assert asked_for(PICTURE, ["red.photo"]).words == ["red.photo"]


def test_a_text_stays_a_text_whatever_is_called_so(photos):
    assert asked_for(TEXT, ["photos", "", "a\0b"]) == Asked(
        ["photos", "", "a\0b"], ["photos", "", "a\0b"]
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.png"], "there is no file `nowhere.png` | check the path"),
        (["photos/red/notes.txt"], "`photos/red/notes.txt` is no picture of a kind that is read"),
        ([""], "an input is empty, and no file | name a file, or a folder of files"),
        (["x" * 5000], "`xxx"),
        (["empty"], "`empty` holds no file that this task reads for image | it reads .png"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_told_by_its_name(words, told, photos):
    Path("empty").mkdir()
    assert refused(*words).startswith(told)


def test_all_files_that_can_not_be_read_are_told_at_once(photos):
    for number in range(7):
        (photos / "red" / f"broken{number}.png").write_bytes(b"\x89PNG")
    why = refused("photos")
    assert why.startswith("7 of 13 inputs can't be used:\n- `photos/red/broken0.png` is cut off")
    assert why.count("\n- `") == 5 and "\n- and 2 more | " in why


@pytest.mark.long
def test_pictures_are_predicted_by_the_users_own_words(photos, tmp_path, monkeypatch, hubtl_cli):
    picture_folder(tmp_path / "colours")
    hub = hub_of(tmp_path, "vit")
    asked = {"base": "acme/vit", "hub": hub.name, "out": Path("by-colour")}
    hubtl.adapt("image-classification", tmp_path / "colours", **asked)
    red, broken = Path("photos", "red", "1.png"), Path("photos", "green", "0.png")
    said = piped(
        f"predict by-colour {Path('photos', 'blue')} - {red} --json --hub {hub.name}",
        f"{red}\r\n{tmp_path / 'colours' / 'green' / '7.png'}\n".encode(),
    )
    words = [Path("photos", "blue", "0.png"), Path("photos", "blue", "1.png"), red]
    words += [tmp_path / "colours" / "green" / "7.png", red]
    assert said.code == 0, said.err
    assert [each["input"] for each in said.json["predictions"]] == [str(word) for word in words]
    labels = [each["label"] for each in said.json["predictions"]]
    assert labels == ["blue", "blue", "red", "green", "red"]
    broken.write_bytes(broken.read_bytes()[:100])
    said = hubtl_cli(f"predict by-colour photos --hub {hub.name}")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"error: `{broken}` is ")


def test_texts_are_read_from_standard_input_a_line_each(adapted, shelf):
    said = piped(
        f"predict {adapted} it - --hub {shelf.name} --json", "so sad\n\nça était fine".encode()
    )
    found = [each["input"] for each in said.json["predictions"]]
    assert found == ["it", "so sad", "", "ça était fine"]


@pytest.mark.parametrize(
    ("words", "lines", "told"),
    [
        ("- -", b"x", "error: `-` was given twice, and standard input is read once"),
        ("-", b"\xff\xfe", "error: standard input is not UTF-8"),
        ("-", b"", "error: there is nothing to predict"),
    ],
)  # fmt: skip
def test_standard_input_that_can_not_be_used_is_told(words, lines, told):
    said = piped(f"predict nowhere {words}", lines)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(told)


def test_help_shows_how_files_are_given(hubtl_cli):
    said = hubtl_cli("predict --help")
    assert "hubtl predict adapted/photos-probe photo.jpg holiday/" in said.out
