"""The engine: a head is fitted as logistic regression would, training improves and repeats."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.manager import plugins
from hubtl.registry.entry import Entry
from hubtl.transfer.feed import Rows, Whole, mean_loss
from hubtl.transfer.fit import fit
from hubtl.transfer.layers import first_linear, layer_stack, linear_layers
from hubtl.transfer.lesson import Schedule
from hubtl.transfer.quiet import quiet_libraries

from .conftest import sentences

TEXTS = [*sentences("good", 24), *sentences("bad", 24)]
TARGETS = np.array([0] * 24 + [1] * 24)


@pytest.fixture(params=["acme/tiny-bert", "acme/tiny-encoder"])
def network(request, shelf: Folder):
    """A tiny network of each kind, for the labels good and bad."""
    base = shelf.cache.snapshot(request.param)
    with quiet_libraries():
        yield (
            plugins()
            .task("text-classification")
            .network(base, Entry(request.param, revision="0" * 40), ["good", "bad"], "cpu", {})
        )


def test_features_do_not_depend_on_what_they_are_batched_with(network):
    network.body.eval()
    feed = Whole(network, TEXTS)
    with torch.inference_mode():
        together = feed.features(range(48))
        alone = torch.cat([feed.features([number]) for number in range(48)])
    assert together.shape == (48, 32)
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_stack_is_found_by_structure(network):
    assert layer_stack(network.body).endswith("encoder.layer")
    assert "attention.self.query" in linear_layers(network.body)
    assert first_linear(network.body).endswith("layer.0.attention.self.query")


def trained(network, seed: int = 0):
    from peft import LoraConfig

    torch.manual_seed(seed)
    network.carry(LoraConfig(r=4, target_modules=linear_layers(network.body)))
    rows = Rows(Whole(network, TEXTS), TARGETS)
    before = mean_loss(network, rows)
    schedule = Schedule(epochs=6, rows=8, rate=5e-3, patience=3)
    fitted = fit(network, rows, rows, schedule, seed=seed)
    return before, fitted, mean_loss(network, rows)


def test_training_lowers_the_loss_and_keeps_the_best_epoch(network):
    before, fitted, after = trained(network)
    assert after < before
    assert after == pytest.approx(min(fitted.losses), abs=1e-6)


def test_the_same_seed_trains_the_same_network(shelf):
    def losses():
        base = shelf.cache.snapshot("acme/tiny-encoder")
        with quiet_libraries():
            torch.manual_seed(0)
            made = (
                plugins()
                .task("text-classification")
                .network(
                    base, Entry("acme/tiny-encoder", revision="0" * 40), ["good", "bad"], "cpu", {}
                )
            )
            return trained(made)[1].losses

    assert losses() == losses()


@pytest.mark.parametrize(("said", "meant"), [("2", "2"), ("all", "all")])
def test_an_option_that_is_a_word_or_a_number_takes_both(said, meant):
    offered = plugins()
    recipe = offered.recipe("lora").over(offered.method("lora").options)
    assert recipe.with_options({"layers": said}).options["layers"] == meant
