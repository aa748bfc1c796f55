"""What a ranking costs: beside bare forward passes over its rows, and beside TransformerRanker."""

from __future__ import annotations

import argparse
import functools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..adapt.adapting import Adapting, bare_forward
from .candidates import Model
from .judging import judged
from .runs import Log, judge, ranked
from .sets import Data, digest, write

SHARE = 0.4  # the rest of half is for what a budget does not see, such as starting Python


def cold(data: Data, models: Sequence[Model], told: argparse.Namespace) -> Any:
    """Return how models are ranked where no features are kept from before, and what that took."""
    before = os.environ["HUBTL_HOME"]
    with tempfile.TemporaryDirectory(dir=told.room) as home:
        os.environ["HUBTL_HOME"] = home
        try:
            return ranked(data, models, told, 0)
        finally:
            os.environ["HUBTL_HOME"] = before


def cost(
    data: Data, models: Sequence[Model], at: Callable[[str], Path], told: argparse.Namespace
) -> None:
    """Print the CPU time of a ranking beside that of bare forward passes over the same rows.

    These are as many as `rank` takes by itself.
    """
    from hubtl.rounds import ROWS

    told.rows = min(told.rows, told.by or ROWS)
    train, _ = data.drawn(told.rows, 0)
    labels = sorted({row.label for row in train})
    began, passes = time.process_time(), 0.0
    for model in models:
        network = Adapting.of("probe", data.task, at(model.id), labels, {}, 0).network
        passes += bare_forward(network, [row.input for row in train])["cpu"]
    loaded = time.process_time() - began
    took = cold(data, models, told)["cpu"]
    print(
        f"{data.name}: {len(models)} candidates, {len(train)} rows: ranking {took:.1f} s of CPU; "
        f"forward passes {passes:.1f} s, ratio {took / passes:.2f}; those and loading the models "
        f"{loaded:.1f} s, ratio {took / loaded:.2f}",
        flush=True,
    )


def against(
    data: Data, models: Sequence[Model], at: Callable[[str], Path], told: argparse.Namespace
) -> None:
    """Print the CPU time of TransformerRanker and of ours, and how both agree with the truth.

    Ours runs as it does by itself, on all rows, and with a time budget of SHARE of the peer's CPU
    seconds. Each runs in a process of its own, whose whole time is counted, its imports
    included.
    """
    log = Log.of(told.room / "results.jsonl")
    _, worth = judge(data, models, at, told)
    counted = [model for model in models if not model.apart and model.id in worth.all]
    rows = data.drawn(told.rows, 0)
    table = write([*rows[0], *rows[1]], told.room / "tables" / f"{data.name}-0.csv", data.task)
    key = (data.name, told.rows, digest(*rows), digest(model.id for model in counted))

    def asked_peer() -> Any:
        worker = [told.peer, str(Path(__file__).with_name("peer.py")), str(table)]
        out, took = timed([*worker, *(str(at(model.id)) for model in counted)])
        return {**took, "scores": json.loads(out.splitlines()[-1])["scores"]}

    def asked_hubtl(*more: str) -> Any:
        command = [sys.executable, "-m", "hubtl", "rank", data.task, str(table), "--json"]
        command += ["--hub", f"folder:{told.room / 'hub'}"]
        for model in counted:
            command += ["--candidates", model.id]
        command += more
        with tempfile.TemporaryDirectory(dir=told.room) as home:
            out, took = timed(command, HUBTL_HOME=home)
        # Scores are among those that were judged on as many rows: who saw more stands before.
        found = sorted(json.loads(out)["ranking"], key=lambda e: (e["rows"], e["score"]))
        return {**took, "scores": {e["id"]: float(place) for place, e in enumerate(found)}}

    names = [model.id for model in counted]
    theirs = log.once(("peer", *key), asked_peer)
    told_by = {name: theirs["scores"][str(at(name))] for name in names}
    found = {"TransformerRanker": {**theirs, "scores": told_by}}
    every, seconds = str(len(rows[0])), f"{SHARE * theirs['cpu']:.0f}s"
    for way in ((), ("--rows", every), ("--time-budget", seconds)):
        ours = log.once(("asked", *way, *key), functools.partial(asked_hubtl, *way))
        found[" ".join(("hubtl rank", *way))] = ours
    mine = worth.among(names)
    for who, took in found.items():
        scores = np.array([took["scores"][name] for name in names])
        said_by = judged(scores, names, mine)
        print(
            f"{data.name:10} {who:30} CPU {took['cpu']:7.1f} s  wall {took['wall']:7.1f} s  "
            f"tau {said_by.tau:5.2f}  regret {said_by.regret:5.2f}",
            flush=True,
        )


def timed(command: Sequence[str], **environment: str) -> tuple[str, dict[str, float]]:
    """Return what a process prints, and the seconds that it took: of processors, by the clock."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, {"cpu": cpu, "wall": time.perf_counter() - began}
