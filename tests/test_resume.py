"""A job that was killed goes on where it was, to the very same predictions."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from hubtl.predictions import read_predictions

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


def test_a_killed_job_resumes_to_the_same_logits(shelf, moods, home):
    recipe, dice = "top", random.Random(0)
    unbroken = finish(start(shelf, recipe))
    for step in ("features", "training", "measuring"):
        shutil.rmtree(home / "trunks")
        with start(shelf, recipe) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith(step):
                    break
            time.sleep(dice.uniform(0, 0.5))
            process.send_signal(signal.SIGKILL)
        assert not Path("result").exists()
        assert finish(start(shelf, recipe, "--resume")) == unbroken


def test_there_is_nothing_to_resume_where_nothing_was_begun(shelf, moods):
    process = start(shelf, "top", "--resume")
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "error: there is nothing to resume" in told and "hint: leave --resume out" in told
