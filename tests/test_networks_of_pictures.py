"""Networks of pictures: any classifier of transformers' gets a new head, is cut, and is adapted."""

from __future__ import annotations

import json

import pytest
import torch

import hubtl
from hubtl.plugins.hookspecs import Loading
from hubtl.plugins.manager import plugins
from hubtl.registry.entry import Entry
from hubtl.registry.facts import read_facts
from hubtl.transfer.cut import Fed, Uncut, cut_at, depth
from hubtl.transfer.feed import FromCut, Whole
from hubtl.transfer.network import batches, padded
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.split import Example
from hubtl.transfer.start import Session
from hubtl.transfer.trunk import Shelf
from hubtl.transfer.views import viewed

from .conftest import QUICK
from .tiny import COLOURS, PICTURES, hub_of, picture_folder

TASK = "image-classification"
COUNTING = ["resnet", "efficientnet"]
NAMES = [name for name in PICTURES if name != "mobilenet"]  # which is refused
NETWORKS = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A folder of pictures of three colours, beside a hub of tiny models."""
    room = tmp_path_factory.mktemp("pictures")
    picture_folder(room / "colours")
    hub_of(room, *NAMES)
    return room


@pytest.fixture(scope="module")
def pictures(room):
    """The paths of eight pictures of each colour."""
    return sorted(str(path) for path in (room / "colours").rglob("*.png"))


def base_of(room, name):
    return room / "made" / name


def made(room, name, labels=tuple(COLOURS), **options):
    """Return a network of a tiny model for some labels."""
    task = plugins().task(TASK)
    entry = Entry(f"acme/{name}", revision="0" * 40)
    with quiet_libraries():
        options = {**task.options, **options}
        return task.network(base_of(room, name), entry, list(labels), "cpu", options)


def plain(room, name, pictures, labels=3):
    """Return what transformers' own class and processor say, alone: logits, and its model."""
    from PIL import Image
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    base = base_of(room, name)
    with quiet_libraries():
        processor = AutoImageProcessor.from_pretrained(base, backend="pil")
        model = AutoModelForImageClassification.from_pretrained(
            base, num_labels=labels, ignore_mismatched_sizes=True
        ).eval()
    opened = [Image.open(path).convert("RGB") for path in pictures]
    with torch.inference_mode():
        return model(**processor(opened, return_tensors="pt")).logits


@NETWORKS
def test_a_base_gets_a_head_for_other_labels_whatever_it_calls_its_own(name, room):
    config = json.loads((base_of(room, name) / "config.json").read_text())
    assert list(config["id2label"].values()) == ["crane", "crane", "heron"]
    network = made(room, name, ["a", "b", "c", "d", "e"])
    assert network.head.out_features == 5
    heads = [type(m).__name__ for n, m in network.body.named_modules() if m is network.head]
    assert heads == ["Linear"]


@NETWORKS
def test_features_and_head_are_the_plain_models_logits(name, room, pictures):
    network = made(room, name)  # of as many labels as the checkpoint has: its head stays
    network.body.eval()
    with torch.inference_mode():
        features = Whole(network, pictures).features(range(6))
        logits = network.head(features)
    assert logits.std() > 1e-3
    assert torch.allclose(logits, plain(room, name, pictures[:6]), atol=1e-5)


@NETWORKS
def test_from_each_layer_comes_what_comes_from_the_whole_or_it_says_why_not(name, room, pictures):
    network = made(room, name)
    whole = Whole(network, pictures).features([0, 9, 20])
    assert depth(network) >= 2
    for layer in range(1, depth(network)):
        if name == "swin":  # each of its stages is told how large the picture still is
            with pytest.raises(Uncut, match="its layers don't run by themselves"):
                cut_at(network, layer, pictures[:4])
            continue
        cut = cut_at(network, layer, pictures[:4])
        trunk = Shelf(room / "trunks", 10**9).make(network, pictures, cut)
        with torch.inference_mode(), Fed(network, cut) as fed:
            found = FromCut(fed, trunk, pictures).features([0, 9, 20])
        assert torch.allclose(found, whole, atol=1e-5)


def taught(room, name, recipe, folder, **options):
    """Adapt a tiny model by a recipe, save it, and return its network before saving."""
    network = made(room, name, **options)
    rows = [
        Example(str(path), str(path), path.parent.name)
        for path in sorted((room / "colours").rglob("*.png"))
    ]
    session = Session(rows[::2], rows[1::4], sorted(COLOURS), 0, Shelf(room / "trunks", 10**9))
    offered = plugins()
    found = offered.recipe(recipe)
    method = offered.method(found.method)
    found = found.over(method.options).with_options(QUICK[recipe])
    with quiet_libraries():
        learnt = method.adapt(network, found.options, viewed(session, network))
        folder.mkdir()
        network.save(folder)
    return network, learnt.how


def test_a_row_of_what_is_cut_off_is_reckoned_as_one_position_whatever_a_picture_has(room):
    network, asked = made(room, "efficientnet"), {**QUICK["top"], "epochs": "2"}
    rows = [Example(str(p), str(p), p.parent.name) for p in (room / "colours").rglob("*.png")]
    session = Session(rows, (), sorted(COLOURS), 0, Shelf(room / "trunks", 10**9))
    method = plugins().method("top")
    options = plugins().recipe("top").over(method.options).with_options(asked).options
    with quiet_libraries():
        method.adapt(network, options, session)
    sizes, meter = network.sizes([row.input for row in rows]), session.meter
    assert (sizes[0], meter.shrunk) == (16, 1 / 16)
    reckoned = meter.shrunk * padded(sizes, batches(sizes, meter.rows)) * meter.epochs
    assert reckoned == meter.amounts["training"] == 2 * len(rows)


def by_card(room, name, folder, network, pictures):
    """Return the logits of the card's code, run here on a folder and a base of this disk."""
    inputs = network.describe_inputs(pictures)
    base = str(base_of(room, name))
    loading = Loading(str(folder), base, "main", sorted(COLOURS), inputs)
    names = {}
    with quiet_libraries():
        exec(plugins().task(TASK).snippet(folder, loading), names)
        return names["logits"](pictures)


@pytest.mark.parametrize("recipe", ["norm", "top", "full"])
@pytest.mark.parametrize("name", COUNTING)
def test_training_does_not_touch_what_norms_counted(name, recipe, room, tmp_path):
    before = statistics(made(room, name))
    network, _ = taught(room, name, recipe, tmp_path / "folder")
    after = statistics(network)
    assert set(after.values()) == set(before.values())


def statistics(network):
    """Return the running statistics of a network, by the names of their modules."""
    return {
        name: tuple(module.running_mean.tolist() + module.running_var.tolist())
        for name, module in network.body.named_modules()
        if getattr(module, "running_mean", None) is not None
    }


def test_states_of_convolutions_are_kept_in_their_own_shape(room, pictures):
    network = made(room, "resnet")
    cut = cut_at(network, 2, pictures[:4])
    assert (cut.shape, cut.width) == ((12, 4, 4), 12 * 4 * 4)
    trunk = Shelf(room / "trunks", 10**9).make(network, pictures, cut)
    assert trunk.sizes(pictures) == [1] * len(pictures)
    assert trunk.states.shape == (len(pictures), 12 * 4 * 4)


def test_what_is_not_cut_is_trained_whole_and_says_why(room, tmp_path):
    _, how = taught(room, "swin", "top", tmp_path / "folder")
    assert "each row went through the whole network (its layers don't run by themselves" in how


def test_views_are_trained_on_and_the_pictures_as_they_are_judged(room, pictures, tmp_path):
    network, _ = taught(room, "vit", "top", tmp_path / "folder", views=3)
    found = by_card(room, "vit", tmp_path / "folder", network, pictures)
    with torch.inference_mode():
        trained = network.head(Whole(network, pictures).features(range(24)))
    assert torch.allclose(found, trained, atol=1e-4)


def test_adapt_measures_a_whole_model_of_pictures_in_a_clean_process(room):
    asked = {"base": "acme/efficientnet", "hub": f"folder:{room / 'shelf'}", "recipe": "full"}
    done = hubtl.adapt(TASK, room / "colours", **asked, options=QUICK["full"])
    facts = read_facts(done.folder)
    assert facts.metrics["accuracy"]["value"] > 0.6
    assert set(facts.baselines) == {"majority", "pixels", "colours"}
    assert list(facts.loads.values()) == ["works"]
    assert "over white, scaled by the base's image processor to 32 x 32" in facts.inputs["how"]
