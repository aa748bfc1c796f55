"""Numbers of a single tensor that are not what they were: comparing predictions alone shows it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from random import Random

import torch
from safetensors.torch import load_file, save_file

from hubtl.predictions import read_predictions
from hubtl.proof import card_code
from hubtl.registry.cache import ModelCache
from hubtl.registry.facts import read_facts
from hubtl.reproduction import SAME_MACHINE
from hubtl.transfer.agreement import compare

DRAWS = 50
# What is added to all scores of a row does nothing to their softmax, and whoever takes the mean of
# tokens never asks the pooler: no prediction hangs on these, so comparing can't show them.
IDLE = ("attention.self.key.bias",)
IDLE_IN_MEANS = (*IDLE, "pooler.dense.weight", "pooler.dense.bias")
MADE = [
    ("probe", "acme/tiny-encoder"),
    ("probe", "acme/tiny-bert"),
    ("top", "acme/tiny-encoder"),
    ("top", "acme/tiny-bert"),
    ("lora", "acme/tiny-encoder"),
    ("norm", "acme/tiny-bert"),
    ("full", "acme/tiny-encoder"),
    ("full", "acme/tiny-bert"),
]


RUNNER = """
import json, sys
said = []
for code, inputs in json.load(open(sys.argv[1])):
    names = {"__name__": "card"}
    exec(code, names)
    said.append(names["logits"](inputs).tolist())
json.dump(said, open(sys.argv[2], "w"))
"""


def logits_of(folders, shelf, room):
    """Return what the cards of folders say to the rows each was measured with, in one process."""
    cache, jobs = ModelCache(room / "cards"), []
    for number, folder in enumerate(folders):
        facts = read_facts(folder)
        base = shelf.cache.snapshot(facts.base, facts.base_revision)
        if facts.base not in cache.ids():
            cache.link(facts.base, base, facts.base_revision)
        cache.link(f"draw/{number}", folder.absolute(), "0" * 40)
        code = card_code(folder, facts).replace(repr(facts.address), repr(f"draw/{number}"))
        jobs.append((code, read_predictions(folder).inputs))
    (room / "jobs.json").write_text(json.dumps(jobs))
    subprocess.run(
        [sys.executable, "-c", RUNNER, room / "jobs.json", room / "said.json"],
        env={**os.environ, "HF_HUB_CACHE": str(cache.root), "HF_HUB_OFFLINE": "1"},
        check=True,
        capture_output=True,
    )
    return json.loads((room / "said.json").read_text())


def agreement(folder, logits):
    """Return how logits compare with what was measured, as publishing compares them."""
    rows, facts = read_predictions(folder), read_facts(folder)
    labels = [facts.labels[max(range(len(row)), key=row.__getitem__)] for row in logits]
    return compare(rows.predicted, rows.logits, labels, logits, tolerance=SAME_MACHINE)


def learnt(folder):
    """Return the tensors of a folder on which a prediction hangs, by file and name."""
    idle = IDLE_IN_MEANS if (folder / "modules.json").is_file() else IDLE
    return [
        (path, name)
        for path in sorted(folder.rglob("*.safetensors"))
        for name, tensor in load_file(path).items()
        if not name.endswith(idle) and (".lora_" not in name or tensor.any())
    ]


def spoil(path, name, seed):
    """Replace one tensor by others of the same size and spread."""
    tensors = load_file(path)
    old = tensors[name]
    dice = torch.Generator().manual_seed(seed)
    spread = old.std().item() if old.numel() > 1 else abs(old.item())
    tensors[name] = old.mean() + torch.randn(old.shape, generator=dice) * (spread or 1.0)
    save_file(tensors, path, {"format": "pt"})


def test_fifty_random_corruptions_of_one_tensor_are_caught_by_comparing_alone(
    adapt_once, shelf, tmp_path
):
    dice, spoilt = Random(0), []
    made = {pair: adapt_once(*pair) for pair in MADE}
    for draw in range(DRAWS):
        pair = dice.choice(MADE)
        folder = shutil.copytree(made[pair], tmp_path / f"spoilt-{draw}")
        path, name = dice.choice(learnt(folder))
        spoil(path, name, draw)
        spoilt.append((pair, name, folder))
    sound = list(made.values())
    said = logits_of([*sound, *(folder for *_, folder in spoilt)], shelf, tmp_path)
    assert all(agreement(*each).holds for each in zip(sound, said[: len(sound)], strict=True))
    caught = zip(spoilt, said[len(sound) :], strict=True)
    missed = [(pair, name) for (pair, name, folder), b in caught if agreement(folder, b).holds]
    assert not missed, missed
