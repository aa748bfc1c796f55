"""A job that was killed goes on where it was, to the very same predictions."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hubtl.predictions import read_predictions
from hubtl.registry.errors import BadOption
from hubtl.registry.rooms import new_room
from hubtl.unfinished import unfinished

WORDS = "--domain general --set epochs=30 --set patience=30 --set rate=0.001 --seed 4"


def start(shelf, recipe: str, *more: str) -> subprocess.Popen[str]:
    """Begin to adapt the tiny encoder, in a process of its own."""
    words = ["adapt", "text-classification", "moods.csv", "--base", "acme/tiny-encoder"]
    words += ["--hub", shelf.name, "--recipe", recipe, "--out", "result", *WORDS.split(), *more]
    return subprocess.Popen(
        [sys.executable, "-m", "hubtl", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )


def finish(process: subprocess.Popen[str]) -> list[list[float]]:
    """Wait for the folder, and return the logits it was measured by; the folder is gone then."""
    _, told = process.communicate(timeout=240)
    assert process.returncode == 0, told
    logits = read_predictions(Path("result")).logits
    shutil.rmtree("result")
    return logits


def everything(folder: Path) -> list[str]:
    """Return the names of all files and folders within."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def kill_in_training(shelf) -> None:
    """Kill a job at a moment that is likely within its training."""
    with start(shelf, "top") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("training"):
                break
        time.sleep(random.Random(0).uniform(0, 0.5))
        process.kill()


def kill_while(there: Callable[[], bool], shelf, home) -> None:
    """Kill jobs as soon as something is there, until one is killed before it is gone again."""
    while not there():
        shutil.rmtree(home / "trunks", ignore_errors=True)
        shutil.rmtree("result", ignore_errors=True)
        with start(shelf, "top") as process:
            while not there() and process.poll() is None:
                time.sleep(0.0005)
            process.kill()


def test_a_killed_job_resumes_to_the_same_logits_and_nothing_else_is_left(shelf, moods, home):
    unbroken = finish(start(shelf, "top"))
    left = everything(home.parent)
    kill_in_training(shelf)
    assert not Path("result").exists()
    assert finish(start(shelf, "top", "--resume")) == unbroken
    for half_written in ("home/trunks/.new-*", "work/.result-*/*"):
        kill_while(lambda some=half_written: any(home.parent.glob(some)), shelf, home)
        assert not Path("result").exists()
        assert finish(start(shelf, "top", "--resume")) == unbroken
        assert everything(home.parent) == left


def test_two_processes_do_not_do_the_same_work_at_once(home):
    with unfinished({"out": "result"}, {}, resume=False):
        with (
            pytest.raises(BadOption, match="another process is at this very work"),
            unfinished({"out": "result"}, {}, resume=True),
        ):
            pass
        with unfinished({"out": "result-2"}, {}, resume=False):
            pass
        assert len(list(home.glob("unfinished/*/plan.json"))) == 1
    assert everything(home / "unfinished") == [".lock"]


def test_a_room_that_is_used_stays_and_one_that_was_abandoned_goes(home, tmp_path):
    code = "import os, sys; from hubtl.registry.rooms import new_room; from pathlib import Path\n"
    code += "with new_room(Path(sys.argv[1]), 'room-'): os._exit(9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    assert len(list(tmp_path.glob("room-*"))) == 1
    with new_room(tmp_path, "room-") as used, new_room(tmp_path, "room-") as other:
        assert sorted(tmp_path.glob("room-*")) == sorted([used, other])
    assert not list(tmp_path.glob("room-*")) and everything(home / "rooms") == [".lock"]


def test_a_note_that_was_cut_off_removes_nothing(home, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (home / "rooms").mkdir(parents=True)
    (home / "rooms" / "0123456789ab.lock").touch()
    (home / "rooms" / "0123456789ab.path").write_text(str(precious))
    with new_room(tmp_path, "room-"):
        assert precious.is_dir()
    assert everything(home / "rooms") == [".lock"]


def test_there_is_nothing_to_resume_where_nothing_was_begun(shelf, moods):
    process = start(shelf, "top", "--resume")
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "error: there is nothing to resume" in told and "hint: leave --resume out" in told
