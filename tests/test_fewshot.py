"""`fewshot`: every pair of a batch teaches, and rows go through once, a portion at a time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from hubtl.plugins.manager import plugins
from hubtl.plugins.methods.label_names import spelled, with_names
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadOption
from hubtl.transfer.checkpoint import Checkpoint
from hubtl.transfer.contrast import InPairs, contrastive_loss, dealt, likeness
from hubtl.transfer.feed import Rows, Whole
from hubtl.transfer.fit import fit
from hubtl.transfer.layers import layer_stack
from hubtl.transfer.lesson import Schedule
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.several import SOME_CLASSES
from hubtl.transfer.split import Example
from hubtl.transfer.start import Session
from hubtl.transfer.trunk import Shelf

from .conftest import QUICK, sentences

TEXTS = [*sentences("good", 12), *sentences("bad", 12)]
TARGETS = np.array([0] * 12 + [1] * 12)
SCHEDULE = Schedule(epochs=4, rows=8, rate=3e-3, patience=1)


def tiny(folders):
    """Return a tiny encoder for the labels bad and good, whose last layer learns."""
    with quiet_libraries():
        torch.manual_seed(0)
        task, entry = plugins().task("text-classification"), Entry("tiny", revision="0" * 40)
        found = task.network(folders["acme/tiny-encoder"], entry, ["bad", "good"], "cpu", {})
    found.body.get_submodule(f"{layer_stack(found.body)}.1").requires_grad_(True)
    return found


@pytest.fixture
def network(tiny_folders):
    return tiny(tiny_folders)


def learnt(network, session, **options):
    """Adapt a network as the recipe does, quickly, and return the line on how."""
    method = plugins().method("fewshot")
    recipe = (
        plugins()
        .recipe("fewshot")
        .over(method.options)
        .with_options({**QUICK["fewshot"], **options})
    )
    with quiet_libraries():
        return method.adapt(network, recipe.options, session).how


def lesson(network, *, held=True, **changes):
    rows = Rows(Whole(network, TEXTS), TARGETS)
    return InPairs(network, rows, replace(SCHEDULE, **changes), seed=1, held=held, temperature=0.1)


def closeness(network):
    """Return the mean cosine of rows of one class, and that of rows of two."""
    network.body.eval()
    with torch.inference_mode():
        directions = normalize(Whole(network, TEXTS).features(range(24)), dim=1)
    cosines, same = (directions @ directions.T).numpy(), TARGETS[:, None] == TARGETS
    return cosines[same & ~np.eye(24, dtype=bool)].mean(), cosines[~same].mean()


def slopes(network):
    return torch.cat([w.grad.flatten() for w in network.body.parameters() if w.grad is not None])


def test_contrast_draws_a_class_together_and_drives_classes_apart(network):
    lessons = lesson(network)
    near, far = closeness(network)
    fitted = fit(network, lessons._train, None, SCHEDULE, seed=1, lesson=lessons)
    least = np.log(3)  # each row has three like it in a batch
    assert fitted.losses[-1] - least < 0.7 * (fitted.losses[0] - least)
    after = closeness(network)
    assert after[0] - after[1] > 2 * (near - far)


def test_a_batch_that_is_not_held_gives_the_same_gradients(network):
    found = []
    for held, at_once in ((True, None), (True, 20), (False, 20)):
        network.body.zero_grad()
        lessons = lesson(network, held=held, at_once=at_once)
        lessons.add_up(lessons.batch(0))
        found.append(slopes(network))
    assert found[0].abs().max() > 1e-3
    assert torch.allclose(found[0], found[1], atol=1e-5)
    assert torch.allclose(found[0], found[2], atol=1e-5)


def test_rows_at_once_do_not_grow_with_the_pairs(network):
    seen = []
    features = network.features
    network.features = lambda batch: seen.append(batch["input_ids"].numel()) or features(batch)
    for rows in (8, 24):
        lessons = lesson(network, rows=rows, at_once=30, held=False)
        lessons.add_up(lessons.batch(0))
    assert max(seen) <= 30


def test_each_class_is_dealt_as_often_and_no_row_twice_in_a_batch():
    targets = np.array([0] * 40 + [1] * 4 + [2])
    deal = dealt(targets, 6, seed=0)
    batches = [next(deal) for _ in range(40)]
    assert all(len(batch) == len(set(batch)) for batch in batches)
    counts = [np.bincount(targets[batch], minlength=3).tolist() for batch in batches]
    assert counts == [[2, 2, 1]] * 40
    assert {row for batch in batches for row in batch} == set(range(45))


def test_of_several_labels_rows_are_as_alike_as_the_labels_they_share():
    both, first, none = [1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    alike = likeness(np.array([both, first, none, none]))
    assert alike.tolist() == [[1, 0.5, 0, 0], [0.5, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]


def test_a_row_that_is_like_no_other_is_only_a_contrast():
    features = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    alike = torch.from_numpy(likeness(np.array([0, 0, 1])))
    cosines = (features @ features.T).numpy()
    wanted = [np.log(1 + np.exp(cosines[row, 2] - cosines[row, 1 - row])) for row in (0, 1)]
    assert contrastive_loss(features, alike, 1.0).item() == pytest.approx(np.mean(wanted))
    alone = torch.from_numpy(likeness(np.array([0, 1, 2])))
    assert contrastive_loss(features, alone, 1.0).item() == 0


def test_a_contrast_that_was_killed_goes_on_to_the_same_bits(tiny_folders, tmp_path):
    def trained(killed_at=None, folder=None):
        def watch(step, done, most):
            if done == killed_at:
                raise KeyboardInterrupt

        network = tiny(tiny_folders)
        lessons = lesson(network)
        kept = Checkpoint(folder, every=0.0, share=math.inf) if folder else None
        more = {"lesson": lessons, "progress": watch, "checkpoint": kept}
        fit(network, lessons._train, None, SCHEDULE, seed=1, **more)
        return torch.cat([weight.detach().flatten() for weight in network.body.parameters()])

    unbroken = trained()
    with pytest.raises(KeyboardInterrupt):
        trained(5, tmp_path)
    assert torch.equal(trained(None, tmp_path), unbroken)


def test_several_labels_a_row_are_learnt_by_contrast_too(tiny_folders, tmp_path):
    network = tiny(tiny_folders)
    good, bad = sentences("good", 8), sentences("bad", 8)
    both = [f"{one} {other}" for one, other in zip(good, bad, strict=True)]
    labelled = {"good": good, "bad": bad, "bad|good": both, "none": ["so we all said that"]}
    rows = [Example(text, text, label) for label, texts in labelled.items() for text in texts]
    session = Session(rows, (), ["bad", "good"], 0, Shelf(tmp_path, 10**9), goal=SOME_CLASSES)
    how = learnt(network, session)
    assert how == (
        "the last 1 of 2 layers by contrast in 3 epochs, the names of the labels among the rows, "
        "then a head; "
        "the lower 1 of 2 layers ran once for each row"
    )
    network.body.eval()
    with torch.inference_mode():
        logits = network.head(Whole(network, [*good, *bad, *both]).features(range(24)))
    wanted = session.targets(rows[:24])
    assert ((logits.numpy() > 0) == wanted).mean() > 0.8


def test_the_names_of_labels_are_rows_too_so_one_row_a_class_is_enough(network, tmp_path):
    rows = [Example("1", "fine", "good"), Example("2", "sad", "bad")]
    session = Session(rows, (), ["bad", "good"], 0, Shelf(tmp_path, 10**9))
    found = with_names(session, network, "auto")
    assert [(row.input, row.label) for row in found.train[2:]] == [("bad", "bad"), ("good", "good")]
    assert "the names of the labels among the rows" in learnt(network, session)


@pytest.mark.parametrize(
    ("asked", "labels"),
    [("none", ["bad", "good"]), ("auto", ["1", "2"]), ("auto", ["a", "class b"])],
)
def test_names_that_say_nothing_or_are_not_wanted_are_no_rows(network, tmp_path, asked, labels):
    session = Session([Example("1", "fine", labels[0])], (), labels, 0, Shelf(tmp_path, 10**9))
    assert with_names(session, network, asked) is session


def test_names_are_no_rows_where_inputs_are_no_texts(network, tmp_path):
    session = Session([Example("1", "a.png", "cat")], (), ["cat", "dog"], 0, Shelf(tmp_path, 10**9))
    network.reads_texts = False
    assert with_names(session, network, "auto") is session
    with pytest.raises(BadOption, match="`names=learn`: the inputs are no texts"):
        with_names(session, network, "learn")


def test_a_name_is_read_as_somebody_would_write_it():
    assert [spelled(each) for each in ("card_not-working", "R&D", "a/b")] == [
        "card not working",
        "R&D",
        "a b",
    ]


def test_without_two_rows_of_any_class_it_says_what_to_do(network, tmp_path):
    rows = [Example("1", "fine", "1"), Example("2", "sad", "2")]
    session = Session(rows, (), ["1", "2"], 0, Shelf(tmp_path, 10**9))
    with pytest.raises(BadOption, match="no two rows share a class") as told:
        learnt(network, session)
    assert told.value.hint == "--recipe probe, or more rows"


@pytest.mark.parametrize("layers", ["all", "2", "0"])
def test_a_layer_below_stays_as_it_is(network, tmp_path, layers):
    rows = [Example(text, text, "bad") for text in sentences("bad", 4)]
    session = Session(rows, (), ["bad", "good"], 0, Shelf(tmp_path, 10**9))
    with pytest.raises(BadOption, match=f"`layers={layers}`"):
        learnt(network, session, layers=layers)
