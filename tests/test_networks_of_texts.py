"""Networks of texts: every family learns by every recipe, and the card's code says the same."""

from __future__ import annotations

import random

import pytest
import torch
from torch.nn.functional import cross_entropy

from hubtl.plugins.export import HERE
from hubtl.plugins.hookspecs import Loading
from hubtl.plugins.manager import plugins
from hubtl.registry.entry import Entry
from hubtl.transfer.feed import Whole
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.split import Example
from hubtl.transfer.start import Session
from hubtl.transfer.trunk import Shelf

from .conftest import FILLER, QUICK, WORDS
from .tiny_texts import TEXTS, write

LABELS = sorted(WORDS)
DICE = random.Random(0)


def told(number: int) -> Example:
    """Return a row whose words tell its label."""
    label = LABELS[number % 2]
    words = DICE.sample(FILLER, 5) + DICE.sample(WORDS[label], 3)
    return Example(str(number), " ".join(DICE.sample(words, 8)), label)


ROWS = [told(number) for number in range(64)]
TEXT = [row.input for row in ROWS]
TRUE = torch.tensor([LABELS.index(row.label) for row in ROWS])


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A folder of a tiny model of each family, whose heads are of as many labels as the rows'."""
    room = tmp_path_factory.mktemp("texts")
    with quiet_libraries():
        for name in TEXTS:
            write(name, room / name)
    return room


def logits_of(network):
    network.body.eval()
    with torch.inference_mode():
        return network.head(Whole(network, TEXT).features(range(len(TEXT))))


@pytest.mark.parametrize("recipe", list(QUICK))
@pytest.mark.parametrize("name", list(TEXTS))
def test_every_recipe_lowers_the_loss_and_the_card_says_the_same(
    name, recipe, room, tmp_path, monkeypatch
):
    task, offered = plugins().task("text-classification"), plugins()
    found = offered.recipe(recipe)
    method = offered.method(found.method)
    options = found.over(method.options).with_options(QUICK[recipe]).options
    with quiet_libraries():
        entry = Entry(f"acme/{name}", revision="0" * 40)
        network = task.network(room / name, entry, LABELS, "cpu", task.options)
        before = logits_of(network)
        session = Session(ROWS, (), LABELS, 0, Shelf(tmp_path / "trunks", 10**9))
        method.adapt(network, options, session)
        after = logits_of(network)
        (tmp_path / "made").mkdir()
        network.save(tmp_path / "made")
    assert cross_entropy(after, TRUE) < cross_entropy(before, TRUE)
    assert (after - before).abs().max() > 1e-3

    monkeypatch.chdir(tmp_path / "made")
    names = {}
    with quiet_libraries():
        inputs = network.describe_inputs(TEXT)
        loading = Loading(HERE, str(room / name), "main", LABELS, inputs)
        exec(task.snippet(tmp_path / "made", loading), names)
        assert torch.allclose(names["logits"](TEXT), after, atol=1e-5)
