"""Judge `hubtl rank` by what its choice is worth: each candidate adapted to each data set.

    python -m benchmarks.rank --data FOLDER --room ROOM [--modality text ...] [--recipe probe]
    python -m benchmarks.rank --data FOLDER --room ROOM --cost
    python -m benchmarks.rank --data FOLDER --room ROOM --modality text --peer VENV/bin/python

Candidates are the pretrained models that Python packages carry, cut ones, and ones that were
adapted to another set (benchmarks/ranking/models.py); data sets are in benchmarks/ranking/sets.py.
For each seed ROWS rows to train on are drawn; candidates are ranked by them, of which `rank` takes
some (or `--by N`), and each is adapted to all of them and judged by test rows, up to 800. What a
candidate is worth on a set is its mean accuracy over seeds. Regret is by how many points the choice
misses the best candidate of the set: who that is one half of the test rows says, and by how many
the other. Random twins and noised models are shown apart. ROOM keeps models, data and results; what
it has is not done again. `--cost` compares the CPU time of a ranking with bare forward passes over
its rows, and `--peer` with TransformerRanker's, in an environment of its own (`pip install
"transformer-ranker==0.2.*"`), as well as how both agree with what models reach. SmolLM2 is read
with the package gguf.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .ranking.candidates import models_of
from .ranking.costs import against, cost
from .ranking.judging import choices, show, sureness, table
from .ranking.runs import judge, put
from .ranking.sets import MODALITIES, sets_of

ROWS = 1000


def asked() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of real data")
    parser.add_argument("--room", type=Path, required=True, help="where models and results are")
    parser.add_argument("--modality", nargs="+", default=MODALITIES, choices=MODALITIES)
    parser.add_argument("--sets", nargs="+", help="only these data sets")
    parser.add_argument("--recipe", default="probe")
    parser.add_argument("--rows", type=int, default=ROWS, help="drawn, and to adapt to")
    parser.add_argument("--by", type=int, help="rank by about so many of them, else as it does")
    parser.add_argument("--seeds", type=int, help="else 3 to 10, the fewer rows test the more")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--peer", help="the Python that has TransformerRanker")
    return parser.parse_args()


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
            counted = worth.among(worth.all.keys() - apart)
            show(data, worth, apart)
            found.append([choices(ranking, counted) for ranking in rankings])
            sure += [(ranking, counted) for ranking in rankings]
        if found:
            table(f"{modality}, {told.recipe}, {told.rows} rows", found)
            print(sureness(sure))
        everything += found
    if len(told.modality) > 1 and everything:
        table("all", everything)


if __name__ == "__main__":
    main()
