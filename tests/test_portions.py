"""Training takes the memory there is, in the precision that is faster, and counts rare classes."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import hubtl
from hubtl.plugins.manager import plugins
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadOption
from hubtl.transfer.feed import Rows, Whole
from hubtl.transfer.fit import fit
from hubtl.transfer.layers import linear_layers
from hubtl.transfer.layerwise import losses_by_layer
from hubtl.transfer.lesson import Schedule
from hubtl.transfer.portions import Taken, kept_bytes, portions, positions_at_once, taken
from hubtl.transfer.precision import faster, working_in
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.resources import free_memory, keep_freed_memory
from hubtl.transfer.split import Example
from hubtl.transfer.start import Session, start
from hubtl.transfer.trunk import Shelf

from .conftest import sentences

TEXTS = [*sentences("good", 20), *sentences("bad", 20)]
LABELS = ["good"] * 20 + ["bad"] * 20
SCHEDULE = Schedule(epochs=2, rows=8, rate=5e-3, patience=2, pull=0.01)


@pytest.fixture
def network(shelf):
    return made(shelf)


def made(shelf):
    """Return a tiny encoder for the labels bad and good."""
    with quiet_libraries():
        torch.manual_seed(0)
        task, entry = plugins().task("text-classification"), Entry("tiny", revision="0" * 40)
        base = shelf.cache.snapshot("acme/tiny-encoder")
        return task.network(base, entry, ["bad", "good"], "cpu", {})


def carrying(network):
    """Give a network LoRA in all its layers, without dropout."""
    from peft import LoraConfig

    with quiet_libraries():
        network.carry(LoraConfig(r=4, target_modules=linear_layers(network.body)))
    for module in network.body.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return network


def trained(network, **changes) -> torch.Tensor:
    rows = Rows(Whole(network, TEXTS), np.array([0] * 20 + [1] * 20))
    fit(carrying(network), rows, None, replace(SCHEDULE, **changes), seed=1)
    return network.head.weight.detach()


def test_a_batch_in_portions_is_the_same_step(shelf):
    whole = trained(made(shelf))
    parts = trained(made(shelf), at_once=20)
    assert torch.allclose(whole, parts, atol=1e-5)
    assert not torch.allclose(whole, trained(made(shelf), rows=4), atol=1e-3)


def test_portions_hold_no_more_positions_than_they_may():
    sizes = [9, 8, 4, 4, 2]
    assert list(portions([0, 1, 2, 3, 4], sizes, 20)) == [[0, 1], [2, 3], [4]]
    assert list(portions([0, 1], sizes, 3)) == [[0], [1]]
    assert list(portions([0, 1, 2], sizes, None)) == [[0, 1, 2]]


def test_the_memory_of_a_batch_is_told_by_that_of_two_rows(network):
    rows = Rows(Whole(carrying(network), TEXTS), np.array([0] * 20 + [1] * 20))
    network.body.train()
    longest = sorted(range(40), key=lambda number: -rows.feed.sizes[number])[:8]
    told = taken(network, rows).by(8)
    assert told == pytest.approx(kept_bytes(network, rows, longest), rel=0.1)


def test_what_does_not_fit_goes_in_fewer_rows_at_once(network):
    needs = Taken(first=1000, more=500, longest=10)
    assert positions_at_once(network, 16, needs, room=10**9) == 160
    assert positions_at_once(network, 16, needs, room=2 * (1000 + 7 * 500)) == 80
    assert positions_at_once(network, 16, needs, room=0) == 10
    assert positions_at_once(network, 16, replace(needs, longest=512), room=10**9) == 4 * 512


def test_a_limit_on_this_process_counts_as_its_memory():
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    import psutil

    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + 10**9, before[1]))
    try:
        assert free_memory("cpu") <= 10**9
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told to")
def test_memory_that_was_freed_is_used_again_without_asking_the_system():
    import resource

    def pages_asked_for() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(10):
            torch.ones(16 * 2**20)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    keep_freed_memory()
    pages_asked_for()
    assert pages_asked_for() < 1000  # 64 MiB are 16,000


def session(tmp_path, rows=None) -> Session:
    rows = rows or [Example(str(n), *row) for n, row in enumerate(zip(TEXTS, LABELS, strict=True))]
    return Session(rows, (), ["bad", "good"], 0, Shelf(tmp_path / "trunks", 10**9))


def test_few_rows_are_fitted_in_fp32_and_many_in_what_is_faster(network):
    assert faster(network, TEXTS) == "fp32"
    assert faster(network, TEXTS * 50) in ("fp32", "bf16")


def test_features_in_bf16_are_near_those_in_fp32_and_kept_apart(network, tmp_path):
    shelf = Shelf(tmp_path, 10**9)
    exact = shelf.make(network, TEXTS, None)
    assert shelf.find(network, TEXTS, None, "bf16") is None
    rough = shelf.make(network, TEXTS, None, precision="bf16")
    gap = abs(torch.from_numpy(exact.pooled) - torch.from_numpy(rough.pooled)).max()
    assert 0 < gap < 0.05
    with working_in("fp32", network):
        assert Whole(network, TEXTS).features([0]).dtype == torch.float32


@pytest.mark.parametrize("option", ["precision", "class_weights"])
def test_a_word_that_an_option_does_not_know_is_refused(option, moods):
    with pytest.raises(BadOption, match=f"`{option}=int8` is not known"):
        hubtl.plan("text-classification", moods, options={option: "int8"})


def test_rare_classes_count_as_much_as_common_ones_where_that_is_asked(shelf, tmp_path):
    rows = [Example(str(n), text, "good") for n, text in enumerate(TEXTS)]
    rows += [Example(f"b{n}", text, "bad") for n, text in enumerate(sentences("bad", 3, 30))]
    logits = {}
    for weights in ("none", "balanced"):
        network = made(shelf)
        options = {"folds": 2, "precision": "fp32", "class_weights": weights}
        start(network, session(tmp_path, rows), options, layer=2)
        with torch.inference_mode():
            features = Whole(network, TEXTS).features(range(40))
            logits[weights] = network.head(features)
    share = {name: torch.softmax(each, 1)[:, 0].mean() for name, each in logits.items()}
    assert share["none"] < 0.2 < share["balanced"]


def test_a_probe_of_each_layer_tells_which_is_best(network, tmp_path):
    losses = losses_by_layer(network, session(tmp_path), folds=3)
    assert len(losses) == 2 and all(0 < loss < 0.8 for loss in losses)
    assert losses == losses_by_layer(network, session(tmp_path), folds=3)
