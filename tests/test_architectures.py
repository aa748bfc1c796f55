"""Every family of models learns by every recipe, and the code of its card says the same."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest
import torch
from torch.nn.functional import cross_entropy

from hubtl.plugins.export import HERE
from hubtl.plugins.hookspecs import Loading
from hubtl.plugins.manager import plugins
from hubtl.plugins.speech import encoders
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadOption
from hubtl.transfer.feed import Whole
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.split import Example
from hubtl.transfer.start import Session
from hubtl.transfer.trunk import Shelf
from hubtl.transfer.views import viewed

from .architectures import CASES, FAMILIES, PAGE, REFUSED, page, reason, recipes_of
from .conftest import FILLER, QUICK, WORDS
from .tiny import clip_folder, hub_of, picture_folder
from .tiny_texts import TEXTS, write


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    """Windows of 1 s, and nothing of what libraries warn of, which hubtl does not show either."""
    monkeypatch.setattr(encoders, "WINDOW", 1)
    with quiet_libraries():
        yield


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A folder of a tiny model of each family, beside pictures of three colours and two pitches."""
    room = tmp_path_factory.mktemp("families")
    with quiet_libraries():
        files = [name for task, name in [*CASES, *REFUSED] if task != "text-classification"]
        hub_of(room, *files)
        for name in TEXTS:
            write(name, room / "made" / name)
    picture_folder(room / "image-classification")
    clip_folder(room / "audio-classification", rows=4)  # none is heard in two windows
    return room


def rows_of(task, room):
    """Return rows whose label is plain to see, to hear or to read."""
    files = sorted(each for each in (room / task).rglob("*.*") if each.is_file())
    found = [Example(str(path), str(path), path.parent.name) for path in files]
    return found or texts()


def texts():
    """Return sentences whose words tell their label."""
    dice = random.Random(0)
    found = []
    for number in range(64):
        label = sorted(WORDS)[number % 2]
        words = dice.sample(FILLER, 5) + dice.sample(WORDS[label], 3)
        found.append(Example(str(number), " ".join(dice.sample(words, 8)), label))
    return found


def network_of(task, base, labels):
    entry = Entry(f"acme/{base.name}", revision="0" * 40)
    return task.network(base, entry, labels, "cpu", task.options)


def logits_of(network, inputs):
    network.body.eval()
    with torch.inference_mode():
        return network.head(Whole(network, inputs).features(range(len(inputs))))


@pytest.mark.parametrize("recipe", list(QUICK))
@pytest.mark.parametrize(("named", "family"), CASES)
def test_every_recipe_lowers_the_loss_and_the_card_says_the_same(
    named, family, recipe, room, tmp_path, monkeypatch, record_property
):
    for name, value in (("task", named), ("family", family), ("recipe", recipe)):
        record_property(name, value)
    offered, rows, base = plugins(), rows_of(named, room), room / "made" / family
    labels, inputs = sorted({row.label for row in rows}), [row.input for row in rows]
    task, found = offered.task(named), offered.recipe(recipe)
    method = offered.method(found.method)
    options = found.over(method.options).with_options(QUICK[recipe]).options
    network = network_of(task, base, labels)

    before = logits_of(network, inputs)
    session = Session(rows, (), labels, 0, Shelf(tmp_path / "trunks", 10**9))
    learnt = method.adapt(network, options, viewed(session, network))
    after = logits_of(network, inputs)
    record_property("how", learnt.how)
    true = torch.tensor([labels.index(row.label) for row in rows])
    assert cross_entropy(after, true) < cross_entropy(before, true)
    assert (after - before).abs().max() > 1e-3

    (tmp_path / "made").mkdir()
    network.save(tmp_path / "made")
    monkeypatch.chdir(tmp_path / "made")
    loading = Loading(HERE, str(base), "main", labels, network.describe_inputs(inputs))
    code = task.snippet(tmp_path / "made", loading)
    names = {}
    exec(code.replace("snapshot_download(adapter)", "adapter"), names)  # it is on no hub
    assert torch.allclose(names["logits"](inputs), after, atol=1e-4)


@pytest.mark.parametrize(("named", "family"), list(REFUSED))
def test_a_family_that_can_not_be_adapted_is_refused_before_work(named, family, room):
    with pytest.raises(BadOption, match=REFUSED[named, family][1]):
        network_of(plugins().task(named), room / "made" / family, ["a", "b"])


def test_the_page_has_each_family_and_recipe_that_is_tried():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    told = [line.split(" | ")[:-1] for line in lines if line.startswith("| ")]
    wanted = []
    for task, families in FAMILIES.items():
        recipes = recipes_of(task)
        wanted += [["| family", *(f"`{recipe}`" for recipe in recipes)]]
        wanted += [["| ---"] + ["---"] * len(recipes)]
        wanted += [[f"| {name}"] + ["yes"] * len(recipes) for name in families.values()]
    assert told == wanted


def test_a_gap_stands_with_the_first_line_of_its_reason():
    failed = ElementTree.fromstring('<failure message="AssertionError: off by 3&#10;more"/>')
    tried = [(task, name, each) for task in FAMILIES for name in FAMILIES[task] for each in QUICK]
    seen = dict.fromkeys(tried, "") | {("image-classification", "vit", "norm"): reason(failed)}
    how = dict.fromkeys([case[:2] for case in tried], "by halves")
    lines = page(seen, how).splitlines()
    assert "| ViT | yes | yes | yes | **no** | yes | yes | yes |" in lines
    assert "- ViT, `norm`: AssertionError: off by 3" in lines
    assert "- `fewshot`: it learns classes of whole inputs, not of words" in lines
