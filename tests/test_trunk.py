"""The frozen part runs once for each input, and training from a cut is training all the same."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.manager import plugins
from hubtl.registry.entry import Entry
from hubtl.transfer.checkpoint import Checkpoint
from hubtl.transfer.cut import Cut, Fed, Tap, Uncut, cut_at, depth
from hubtl.transfer.feed import FromCut, Rows, Whole
from hubtl.transfer.fit import fit
from hubtl.transfer.layers import layer_norms, layer_stack
from hubtl.transfer.lesson import Schedule
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.trunk import Shelf

from .conftest import sentences

TEXTS = [*sentences("good", 20), *sentences("bad", 20), "so"]
TARGETS = np.array([0] * 20 + [1] * 21)


def made(shelf: Folder, name: str):
    """Return a tiny network for the labels good and bad."""
    with quiet_libraries():
        torch.manual_seed(0)
        task = plugins().task("text-classification")
        entry = Entry(name, revision="0" * 40)
        return task.network(shelf.cache.snapshot(name), entry, ["good", "bad"], "cpu", {})


@pytest.fixture(params=["acme/tiny-bert", "acme/tiny-encoder"])
def network(request, shelf: Folder):
    return made(shelf, request.param)


@pytest.fixture
def kept(tmp_path) -> Shelf:
    return Shelf(tmp_path / "trunks", 10**9)


class Counting:
    """Counts how many rows a network is run on."""

    def __init__(self, network) -> None:
        self.rows, self._run = 0, network.features
        network.features = self

    def __call__(self, batch):
        self.rows += len(batch["input_ids"])
        return self._run(batch)


def test_what_was_made_of_some_inputs_is_not_made_again_with_more(network, kept):
    counted = Counting(network)
    parts = [kept.make(network, some, None) for some in (TEXTS[:15], TEXTS[10:30])]
    ran = counted.rows
    assert kept.lacking(network, TEXTS) == pytest.approx(11 / 41)
    every = kept.make(network, TEXTS, None)
    assert counted.rows - ran == 11 and kept.lacking(network, TEXTS) == 0
    for part in parts:
        inputs = list(part.inputs)
        assert np.array_equal(
            every.pooled[every.rows_of(inputs)], part.pooled[part.rows_of(inputs)]
        )
    assert kept.make(network, TEXTS[5:25], None).pooled is not None and counted.rows - ran == 11


def test_rows_of_another_base_or_precision_are_not_taken_for_known(network, kept, shelf):
    kept.make(network, TEXTS, None)
    assert kept.lacking(network, TEXTS[:9], "bf16") == 1
    others = {"acme/tiny-bert", "acme/tiny-encoder"}
    lacking = [kept.lacking(made(shelf, name), TEXTS[:9]) for name in sorted(others)]
    assert sorted(lacking) == [0, 1]


def test_what_bases_said_lies_beside_the_trunks_and_is_not_taken_for_one(network, kept):
    kept.make(network, TEXTS[:15], None)
    said = kept.folder / "00said"
    said.mkdir()
    (said / "about.json").write_text(json.dumps(["good", "bad"]))
    assert kept.lacking(network, TEXTS) == pytest.approx(26 / 41)


def test_layers_are_looked_at_though_rows_are_known(network, kept):
    kept.make(network, TEXTS, None)
    counted = Counting(network)
    some = kept.make(network, TEXTS[:20], None, look=TEXTS[:20], most=8)
    places, layers = some.by_layer(TEXTS[:20])
    assert counted.rows == len(places) == 8 and len(layers) == 2
    assert np.allclose(layers[-1], some.pooled[some.rows_of([TEXTS[n] for n in places])], atol=1e-5)


def test_from_a_cut_comes_what_comes_from_the_whole(network, kept):
    cut = cut_at(network, 1, TEXTS[:4])
    trunk = kept.make(network, TEXTS, cut)
    with torch.inference_mode(), Fed(network, cut) as fed:
        some = [3, 40, 11]
        from_cut = FromCut(fed, trunk, TEXTS).features(some)
    with torch.inference_mode():
        whole = Whole(network, TEXTS).features(some)
    assert torch.allclose(from_cut, whole, atol=1e-5)
    pooled = torch.from_numpy(trunk.pooled[trunk.rows_of([TEXTS[n] for n in some])])
    assert torch.allclose(pooled, whole, atol=1e-5)


def test_after_a_cut_the_network_is_as_it_was(network):
    before = [type(layer) for layer in network.body.get_submodule(layer_stack(network.body))]
    with Fed(network, cut_at(network, 1, TEXTS[:4])):
        pass
    after = [type(layer) for layer in network.body.get_submodule(layer_stack(network.body))]
    assert before == after
    with Tap(network, 1) as tap:
        Whole(network, TEXTS).features([0])
    assert tap.states is not None


@pytest.mark.parametrize("layer", [0, 2, 5])
def test_where_there_is_no_layer_between_there_is_no_cut(layer, network):
    with pytest.raises(Uncut, match="it has 2 layers in a stack"):
        cut_at(network, layer, TEXTS[:4])


class Biased:
    """A network whose first layer makes a position bias that the others need: a tiny T5."""

    def __init__(self) -> None:
        from transformers import T5Config, T5EncoderModel

        torch.manual_seed(0)
        config = T5Config(
            vocab_size=30, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2, dropout_rate=0.0
        )
        self.body = T5EncoderModel(config).eval()
        for name, weight in self.body.named_parameters():
            if "relative_attention_bias" in name:
                nn.init.normal_(weight, std=3.0)
        self.head, self.device = nn.Linear(16, 2), torch.device("cpu")

    def sizes(self, inputs):
        return [len(each) for each in inputs]

    def collate(self, inputs):
        longest = max(map(len, inputs))
        ids = [[1 + ord(c) % 29 for c in each.ljust(longest)] for each in inputs]
        return {"input_ids": torch.tensor(ids)}

    def features(self, batch):
        return self.body(**batch).last_hidden_state.mean(1)


def test_a_network_that_hands_on_more_than_states_is_not_cut_and_says_why():
    with pytest.raises(Uncut, match="its upper layers need more than the states|by themselves"):
        cut_at(Biased(), 1, ["hello there", "general"])


def test_what_is_kept_is_not_made_again(network, kept):
    cut = cut_at(network, 1, TEXTS[:4])
    counted = Counting(network)
    kept.make(network, TEXTS, cut)
    assert counted.rows == len(set(TEXTS))
    assert kept.find(network, TEXTS[::-1], cut) is not None  # in whatever order
    assert kept.find(network, TEXTS, None) is not None  # and for a probe, which needs no cut
    assert kept.find(network, TEXTS[:5], cut) is None
    assert counted.rows == len(set(TEXTS))


def test_a_trunk_is_of_one_base_at_one_commit(shelf, kept):
    one = made(shelf, "acme/tiny-encoder")
    kept.make(one, TEXTS, None)
    one._entry = Entry("acme/tiny-encoder", revision="1" * 40)
    assert kept.find(one, TEXTS, None) is None


def test_no_row_is_on_the_disk(network, kept):
    kept.make(network, TEXTS, cut_at(network, 1, TEXTS[:4]))
    written = b"".join(path.read_bytes() for path in kept.folder.rglob("*") if path.is_file())
    assert not any(text.encode() in written for text in TEXTS if len(text) > 4)


def test_what_was_not_used_for_longest_goes_first(network, tmp_path):
    cut = cut_at(network, 1, TEXTS[:4])
    measured = Shelf(tmp_path / "measured", 10**9)
    parts = [TEXTS[:20], TEXTS[10:30], TEXTS[20:40]]
    for part in parts:
        measured.make(network, part, cut)
    all_three = sum(path.stat().st_size for path in measured.folder.rglob("*.*"))
    kept = Shelf(tmp_path / "trunks", all_three - 1000)
    kept.make(network, parts[0], cut)
    kept.make(network, parts[1], cut)
    assert kept.find(network, parts[0], cut)  # used again, so it is not the oldest
    kept.make(network, parts[2], cut)
    assert [kept.find(network, part, cut) is not None for part in parts] == [True, False, True]


def test_what_would_not_fit_is_not_begun(network, tmp_path):
    wanted = Cut(1, 0, width=32).bytes_of(network.sizes(TEXTS))
    assert wanted == sum(network.sizes(TEXTS)) * 32 * 4
    assert not Shelf(tmp_path, wanted - 1).fits(wanted)
    assert Shelf(tmp_path, wanted).fits(wanted)


def test_norms_are_found_by_what_they_are(network):
    found = layer_norms(network.body)
    assert len(found) == 5 and all("LayerNorm" in name for name in found)
    assert depth(network) == 2


class StoppedError(Exception):
    """Training was stopped from outside."""


def trained(shelf: Folder, folder=None, stop_after: int = 10**9):
    """Train a tiny encoder from its upper layer, and return all its weights."""
    network = made(shelf, "acme/tiny-encoder")
    cut = cut_at(network, 1, TEXTS[:4])
    trunk = Shelf(shelf.cache.root / "trunks", 10**9).make(network, TEXTS, cut)
    network.body.get_submodule(f"{layer_stack(network.body)}.1").requires_grad_(True)
    checkpoint = Checkpoint(folder, every=0.0, share=math.inf) if folder else None

    def watch(step: str, done: int, total: int) -> None:
        if done == stop_after:
            raise StoppedError

    with Fed(network, cut) as fed:
        rows = Rows(FromCut(fed, trunk, TEXTS), TARGETS)
        schedule = Schedule(epochs=4, rows=8, rate=5e-3, patience=2, layer_decay=0.5)
        fit(network, rows, rows, schedule, seed=3, progress=watch, checkpoint=checkpoint)
    return torch.cat(
        [
            weight.detach().flatten()
            for weight in (*network.body.parameters(), *network.head.parameters())
        ]
    )


@pytest.mark.parametrize("stop_after", [1, 6, 7, 13, 20])
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(stop_after, shelf, tmp_path):
    unbroken = trained(shelf)
    with pytest.raises(StoppedError):
        trained(shelf, tmp_path / "work", stop_after)
    assert torch.equal(trained(shelf, tmp_path / "work"), unbroken)


def test_a_checkpoint_that_was_cut_off_is_none(tmp_path, shelf):
    with pytest.raises(StoppedError):
        trained(shelf, tmp_path, 6)
    file = tmp_path / "training.safetensors"
    about = Checkpoint(tmp_path).load()
    assert about and json.dumps(dict(about.about))
    file.write_bytes(file.read_bytes()[:-100])
    assert Checkpoint(tmp_path).load() is None


def test_layers_are_looked_at_by_the_same_inputs_whatever_their_order(network, kept, tmp_path):
    trunk = kept.make(network, TEXTS, None, look=TEXTS, most=8)
    places, (first, last) = trunk.by_layer(TEXTS)
    assert len(places) == 8 and (last == trunk.pooled[trunk.rows_of(TEXTS)][places]).all()
    some = [TEXTS[place] for place in places]
    with torch.inference_mode(), Tap(network, 1) as tap:
        batch = network.collate(some)
        network.features(batch)
    own = batch["attention_mask"].unsqueeze(-1)
    assert torch.allclose(
        torch.from_numpy(first), (tap.states * own).sum(1) / own.sum(1), atol=1e-5
    )
    other = Shelf(tmp_path / "other", 10**9)
    again = other.make(network, TEXTS[::-1], None, look=TEXTS[::-1], most=8)
    assert {TEXTS[::-1][place] for place in again.by_layer(TEXTS[::-1])[0]} == set(some)
    assert other.find(network, TEXTS, None).by_layer(TEXTS)[0].tolist() == places.tolist()
    assert kept.make(network, TEXTS[:9], None).by_layer(TEXTS[:9])[1] == []
