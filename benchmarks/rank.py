"""Judge `hubtl rank` by what its choice is worth: each candidate adapted to each data set.

    python -m benchmarks.rank --data FOLDER --room ROOM [--modality text ...] [--recipe probe]
    python -m benchmarks.rank --data FOLDER --room ROOM --cost
    python -m benchmarks.rank --data FOLDER --room ROOM --modality text --peer VENV/bin/python

Candidates are the pretrained models that Python packages carry, cut ones, and ones that were
adapted to another set (benchmarks/ranking/models.py); data sets are in benchmarks/ranking/sets.py.
For each seed ROWS rows to train on are drawn; candidates are ranked by them, and each is adapted to
them and judged by test rows, up to 800. What a candidate is worth on a set is its mean accuracy
over seeds.
Regret is by how many points the choice misses the best candidate of the set. Random twins and
noised models are ranked and shown apart. ROOM keeps models, data and results; what it has is not
done again. `--cost` compares the CPU time of a ranking with bare forward passes over its rows, and
`--peer` with TransformerRanker's, in an environment of its own (`pip install
"transformer-ranker==0.2.*"`), as well as how both agree with what models reach. SmolLM2 is read
with the package gguf.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from .ranking.candidates import Model, models_of
from .ranking.judging import choices, judged, show, sureness, table
from .ranking.sets import MODALITIES, Data, sets_of, write
from .ranking.truth import reached

ROWS = 1000  # as many as `rank` takes by itself


def asked() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of real data")
    parser.add_argument("--room", type=Path, required=True, help="where models and results are")
    parser.add_argument("--modality", nargs="+", default=MODALITIES, choices=MODALITIES)
    parser.add_argument("--sets", nargs="+", help="only these data sets")
    parser.add_argument("--recipe", default="probe")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seeds", type=int, help="else 3 to 10, the fewer rows test the more")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--peer", help="the Python that has TransformerRanker")
    return parser.parse_args()


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
        candidates=[model.id for model in models],
        hub=f"folder:{told.room / 'hub'}",
        columns={"group": "speaker"} if train[0].voice else {},
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
) -> tuple[list[Any], dict[str, float]]:
    """Return the rankings of a set by seeds, and what each model reaches in the mean."""
    log = Log.of(told.room / "results.jsonl")
    rankings, worth = [], {}
    of = (data.name, told.rows)
    drawn = data.draws(told.rows, told.seeds)
    every = sorted({row.input for _, test in drawn for row in test})
    for seed in range(len(drawn)):
        key = ("rank", *of, seed, len(models))
        rankings.append(log.once(key, lambda seed=seed: ranked(data, models, told, seed)))
    judged_all = set.intersection(*({e["id"] for e in each["ranking"]} for each in rankings))
    for model in models:
        if model.id not in judged_all:  # it failed, and the ranking says why
            print(f"    {data.name} {model.id}: {rankings[0]['failed']}", flush=True)
            continue
        accuracies = []
        for seed in range(len(drawn)):
            key = ("reached", *of, model.id, told.recipe, seed)
            base = at(model.id)

            def make(base: Path = base, seed: int = seed) -> float:
                return reached(base, data.task, told.recipe, *drawn[seed], every, seed)

            accuracies.append(log.once(key, make))
            print(f"    {data.name} {model.id} {seed}: {accuracies[-1]:.3f}", flush=True)
        worth[model.id] = fmean(accuracies)
    return rankings, worth


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
    """Print the CPU time of a ranking beside that of bare forward passes over the same rows."""
    from .adapt.adapting import Adapting, bare_forward

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
    """Print the CPU time of TransformerRanker and of ours, and how both agree with the truth."""
    log = Log.of(told.room / "results.jsonl")
    _, worth = judge(data, models, at, told)
    counted = [model for model in models if not model.apart and model.id in worth]
    key = (data.name, told.rows, len(counted))
    table = told.room / "tables" / f"{data.name}-0.csv"
    worker = [told.peer, str(Path(__file__).with_name("ranking") / "peer.py"), str(table)]

    def asked_peer() -> Any:
        folders = [str(at(model.id)) for model in counted]
        done = subprocess.run([*worker, *folders], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        return json.loads(done.stdout.splitlines()[-1])

    ours = log.once(("cold", *key), lambda: cold(data, counted, told))
    theirs = log.once(("peer", *key), asked_peer)
    real = np.array([worth[model.id] for model in counted])
    said = np.array([theirs["scores"][str(at(model.id))] for model in counted])
    mine = {each["id"]: each["score"] for each in ours["ranking"]}
    for name, score, took in (
        ("hubtl", np.array([mine[model.id] for model in counted]), ours),
        ("TransformerRanker", said, theirs),
    ):
        regret, tau = judged(score, real, float(real.max()))
        print(
            f"{data.name:10} {name:18} CPU {took['cpu']:7.1f} s  wall {took['wall']:7.1f} s  "
            f"tau {tau:5.2f}  regret {regret:5.2f}",
            flush=True,
        )


def main() -> None:
    """Judge each modality, then all."""
    told = asked()
    told.room = told.room.absolute()
    os.environ.setdefault("HUBTL_HOME", str(told.room / "home"))
    os.environ["HF_HUB_OFFLINE"] = "1"
    hub = told.room / "hub"
    hub.mkdir(parents=True, exist_ok=True)
    everything = []
    for modality in told.modality:
        sets = sets_of(modality, told.data, told.room)
        made: dict[str, Path] = {}
        models = models_of(modality, {s.name: s for s in sets}, made.__getitem__, told.room)
        for model in models:
            print(f"  {model.id}", flush=True)
            made[model.id] = put(model, hub)
        found, sure = [], []
        for data in sets:
            if told.sets and data.name not in told.sets:
                continue
            fit = [model for model in models if data.name not in model.seen]
            if told.cost or told.peer:
                (cost if told.cost else against)(data, fit, made.__getitem__, told)
                continue
            rankings, worth = judge(data, fit, made.__getitem__, told)
            apart = {model.id for model in fit if model.apart}
            counted = {name: value for name, value in worth.items() if name not in apart}
            show(data, worth, apart)
            found += [choices(ranking, counted) for ranking in rankings]
            sure += [(ranking, counted) for ranking in rankings]
        if found:
            table(f"{modality}, {told.recipe}, {told.rows} rows", found)
            print(sureness(sure))
        everything += found
    if len(told.modality) > 1 and everything:
        table("all", everything)


if __name__ == "__main__":
    main()
