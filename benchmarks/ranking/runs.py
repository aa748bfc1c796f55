"""What is run: each set ranked and each candidate adapted to it, once, and kept in a file."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from .candidates import Model
from .judging import Worth, share, worth_of
from .sets import Data, digest, write
from .shelving import shelve
from .truth import reached


@dataclass(frozen=True, slots=True)
class Log:
    """Results so far, by what they are of, kept in a file a line each."""

    path: Path
    found: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> Log:
        """Return what a file has."""
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return cls(path, dict(map(json.loads, lines)))

    def has(self, key: Sequence[object]) -> bool:
        """Return whether a result is there."""
        return " ".join(map(str, key)) in self.found

    def once(self, key: Sequence[object], make: Callable[[], Any]) -> Any:
        """Return a result, made now if it is not there."""
        name = " ".join(map(str, key))
        if name not in self.found:
            self.found[name] = make()
            with self.path.open("a", encoding="utf-8") as file:
                print(json.dumps([name, self.found[name]]), file=file)
        return self.found[name]


def put(model: Model, hub: Path) -> Path:
    """Return the folder of a model in the hub, written now if it is not there."""
    from hubtl.plugins.hubs.folder import Folder

    there = Folder(hub)
    if not there.cache.folder(model.id).is_dir():
        with tempfile.TemporaryDirectory(dir=hub.parent) as made:
            model.write(Path(made))
            there.draft(model.id, Path(made), private=False, message="").accept()
    return there.cache.snapshot(model.id, there.cache.resolve(model.id, None))


def ranked(data: Data, models: Sequence[Model], told: argparse.Namespace, seed: int) -> Any:
    """Return how models are ranked by the rows of a seed, and what that took."""
    import hubtl

    train, test = data.drawn(told.rows, seed)
    table = write([*train, *test], told.room / "tables" / f"{data.name}-{seed}.csv", data.task)
    began, cpu = time.perf_counter(), time.process_time()
    found = hubtl.rank(
        data.task,
        table,
        recipe=told.recipe,
        candidates=[model.id for model in models],
        hub=f"folder:{told.room / 'hub'}",
        columns={"group": "speaker"} if train[0].voice else {},
        rows=told.by,
    )
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - began,
        "rows": found.rows,
        "advice": found.advice,
        "failed": [each.why for each in found.failed],
        "may_be_best": [found.ranking[0].id, *found.ranking[0].tied_with],
        "ranking": [
            {
                **{key: getattr(each, key) for key in ("id", "score", "params")},
                "scores": dict(each.scores),
            }
            for each in found.ranking
        ],
    }


def judge(
    data: Data, models: Sequence[Model], at: Callable[[str], Path], told: argparse.Namespace
) -> tuple[list[Any], Worth]:
    """Return the rankings of a set by seeds, and what each model reaches in the mean.

    Those that count for nothing are ranked beside the others by the first seed alone, to be shown:
    where a candidate stands hangs on which others there are.
    """
    log = Log.of(told.room / "results.jsonl")
    from hubtl.rounds import ROWS

    drawn = data.draws(told.rows, told.seeds)
    counted = [model for model in models if not model.apart]
    keys = [(data.name, told.rows, seed, digest(*rows)) for seed, rows in enumerate(drawn)]

    def key_of(model: Model, seed: int) -> Sequence[object]:
        return ("reached", *keys[seed], model.id, told.recipe)

    every = {
        model.id: shelve(model.id, at(model.id), data.task, drawn)
        for model in models
        if not all(log.has(key_of(model, seed)) for seed in range(len(drawn)))
    }

    def once(seed: int, some: Sequence[Model]) -> Any:
        by = told.by or ROWS
        key = ("ranked", told.recipe, by, *keys[seed], digest(model.id for model in some))
        return log.once(key, lambda: ranked(data, some, told, seed))

    if len(models) > len(counted):
        shown = [f"{e['id']} {e['score']:+.2f}" for e in once(0, models)["ranking"]]
        print(f"    {data.name}, all: {', '.join(shown)}", flush=True)
    rankings = [once(seed, counted) for seed in range(len(drawn))]
    judged_all = set.intersection(*({e["id"] for e in each["ranking"]} for each in rankings))
    hits: dict[str, list[str]] = {}
    for model in models:
        if not model.apart and model.id not in judged_all:  # the ranking says why
            print(f"    {data.name} {model.id}: {rankings[0]['failed']}", flush=True)
            continue
        for seed, rows in enumerate(drawn):

            def make(of: str = model.id, rows: Any = rows, seed: int = seed) -> str:
                return reached(of, at(of), data.task, told.recipe, *rows, every[of], seed)

            hits.setdefault(model.id, []).append(log.once(key_of(model, seed), make))
        print(f"    {data.name} {model.id}: {fmean(map(share, hits[model.id])):.3f}", flush=True)
    return rankings, worth_of(hits, [test for _, test in drawn])
