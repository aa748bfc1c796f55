"""One adapter upon another becomes one adapter, whichever recipes made them."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import peft
import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification

from hubtl.plugins.manager import plugins
from hubtl.plugins.text.probe_inputs import PROBE_INPUTS
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadOption
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.split import Example
from hubtl.transfer.start import Session
from hubtl.transfer.trunk import Shelf

from .conftest import WORDS, sentences

BASES = ("acme/tiny-bert", "acme/tiny-encoder")
RECIPES = ("probe", "top", "lora", "norm")
FIRST = Entry("acme/first", kind="adapter", revision="1" * 40)
PROBE = list(PROBE_INPUTS)


@pytest.fixture(autouse=True)
def _quiet():
    with quiet_libraries():
        yield


@pytest.fixture
def network(tiny_folders):
    """Make the network of a tiny base for some labels."""

    def made(base, labels):
        entry = Entry(base, revision="0" * 40)
        return (
            plugins()
            .task("text-classification")
            .network(tiny_folders[base], entry, labels, "cpu", {})
        )

    return made


def trained(network, recipe, labels, tmp_path, **options):
    """Adapt a network by a recipe, then move all that was trainable, in case nothing was kept."""
    rows = [
        Example(str(number), text, labels[number % len(labels)])
        for word in WORDS
        for number, text in enumerate(sentences(word, 12))
    ]
    chosen = plugins().recipe(recipe)
    method = plugins().method(chosen.method)
    chosen = chosen.over(method.options).with_options({"folds": "2", **options})
    shelf = Shelf(tmp_path / "trunks", 10**9)
    method.adapt(network, chosen.options, Session(rows, (), labels, 0, shelf))
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in (*network.body.parameters(), *network.head.parameters()):
            if weight.requires_grad:
                weight.add_(0.05 * torch.randn_like(weight))
    return network


def seen(network):
    """Return what the head is given, and the logits, of the public probe inputs."""
    network.body.eval()
    with torch.inference_mode():
        features = network.features(network.collate(PROBE))
        return features, network.head(features)


def reloaded(base, folder, network, classes):
    """Return what seen() would of a saved folder, by stock transformers and peft."""
    kind = AutoModelForSequenceClassification if base == BASES[0] else AutoModel
    more = {"num_labels": classes, "ignore_mismatched_sizes": True} if base == BASES[0] else {}
    body = kind.from_pretrained(network._base, **more)
    body = peft.PeftModel.from_pretrained(body, folder).eval()
    with torch.inference_mode():
        if base == BASES[0]:
            return body(**network.collate(PROBE)).logits
        network.body = body
        return network.head(network.features(network.collate(PROBE)))


def size(folder):
    return (folder / "adapter_model.safetensors").stat().st_size


@pytest.mark.parametrize(("base", "first", "second"), list(product(BASES, RECIPES, RECIPES)))
def test_any_recipe_upon_any_is_one_adapter_that_says_the_same(
    base, first, second, network, tmp_path
):
    one = trained(network(base, ["a", "b"]), first, ["a", "b"], tmp_path)
    one.save(tmp_path)
    two = network(base, ["x", "y", "z"])
    plain = two.identity
    two.build_upon(tmp_path, FIRST)
    assert torch.allclose(seen(two)[0], seen(one)[0], atol=1e-5)
    assert two.identity != plain and f"{FIRST.id}@{FIRST.revision}" in two.identity
    wanted = seen(trained(two, second, ["x", "y", "z"], tmp_path))[1]
    folder = tmp_path / "both"
    folder.mkdir()
    two.save(folder)
    assert torch.allclose(seen(two)[1], wanted, atol=1e-4)
    assert torch.allclose(reloaded(base, folder, two, 3), wanted, atol=1e-4)


def test_a_probe_upon_lora_is_hardly_larger_than_the_lora(network, tmp_path):
    trained(network(BASES[1], ["a", "b"]), "lora", ["a", "b"], tmp_path).save(tmp_path)
    two = network(BASES[1], ["a", "b"])
    two.build_upon(tmp_path, FIRST)
    trained(two, "probe", ["a", "b"], tmp_path)
    (tmp_path / "both").mkdir()
    two.save(tmp_path / "both")
    assert size(tmp_path / "both") < 1.2 * size(tmp_path)


def test_ranks_of_two_updates_of_one_map_add_up(network, tmp_path):
    trained(network(BASES[1], ["a", "b"]), "lora", ["a", "b"], tmp_path, rank="2").save(tmp_path)
    two = network(BASES[1], ["a", "b"])
    two.build_upon(tmp_path, FIRST)
    trained(two, "lora", ["a", "b"], tmp_path, rank="3", layers="all")
    (tmp_path / "both").mkdir()
    two.save(tmp_path / "both")
    config = json.loads((tmp_path / "both" / "adapter_config.json").read_text())
    ranks = {config["r"], *config["rank_pattern"].values()}
    assert ranks == {3, 5} and config["alpha_pattern"] == config["rank_pattern"]


KINDS = {
    "lora": peft.LoraConfig(r=4, target_modules=["query", "dense"], bias="all"),
    "rslora": peft.LoraConfig(r=4, target_modules=["query", "value"], use_rslora=True),
    "dora": peft.LoraConfig(r=4, target_modules=["query", "value"], use_dora=True),
    "patterns": peft.LoraConfig(
        r=4,
        target_modules=r".*layer\.1\.attention.*(query|key)",
        rank_pattern={"bert.encoder.layer.1.attention.self.key": 2},
        alpha_pattern={"bert.encoder.layer.1.attention.self.key": 7},
    ),
    "whole": peft.LoraConfig(r=4, target_modules=["query"], modules_to_save=["output.LayerNorm"]),
    "ia3": peft.IA3Config(target_modules=["key", "dense"], feedforward_modules=["dense"]),
    "loha": peft.LoHaConfig(r=4, target_modules=["query"]),
    "lokr": peft.LoKrConfig(r=4, target_modules=["query"]),
    "adalora": peft.AdaLoraConfig(init_r=4, target_modules=["query"], total_step=10),
    "norms": peft.LNTuningConfig(target_modules=["LayerNorm"]),
}  # fmt: skip


def plain_adapter(folder, config, kind=AutoModelForSequenceClassification, task="SEQ_CLS", **more):
    """Write a stranger's adapter, all of it moved, and return its model."""
    import copy

    config = copy.deepcopy(config)
    config.task_type = task
    model = peft.get_peft_model(kind.from_pretrained(folder, **more), config)
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(0.05 * torch.randn_like(weight))
    return model.eval()


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_strangers_adapter_with_a_head_of_its_own_is_built_upon(
    kind, base, network, tiny_folders, tmp_path
):
    model = plain_adapter(tiny_folders[base], KINDS[kind], num_labels=5)
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    two = network(base, ["x", "y", "z"])
    batch = two.collate(PROBE)
    two.build_upon(tmp_path, FIRST)
    body = two.body if base == BASES[1] else two.body.bert
    with torch.inference_mode():
        wanted = model.base_model.model.bert(**batch).last_hidden_state
        assert torch.allclose(body(**batch).last_hidden_state, wanted, atol=1e-5)


def test_a_strangers_adapter_without_a_head_is_built_upon(network, tiny_folders, tmp_path):
    config = peft.LoraConfig(r=4, target_modules=["query"])
    model = plain_adapter(tiny_folders[BASES[0]], config, AutoModel, "FEATURE_EXTRACTION")
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    two = network(BASES[0], ["x", "y", "z"])
    two.build_upon(tmp_path, FIRST)
    batch = two.collate(PROBE)
    with torch.inference_mode():
        found, wanted = two.body.bert(**batch), model(**batch)
    assert torch.allclose(found.last_hidden_state, wanted.last_hidden_state, atol=1e-5)


def test_where_peft_cannot_tell_the_difference_the_model_is_saved_whole(
    network, tiny_folders, tmp_path
):
    config = peft.LoraConfig(r=32, target_modules="all-linear")
    model = plain_adapter(tiny_folders[BASES[1]], config, AutoModel, "FEATURE_EXTRACTION")
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    two = network(BASES[1], ["a", "b"])
    two.build_upon(tmp_path, FIRST)
    wanted = seen(trained(two, "probe", ["a", "b"], tmp_path))[1]
    (tmp_path / "both").mkdir()
    two.save(tmp_path / "both")
    assert not (tmp_path / "both" / "adapter_config.json").exists()
    two.body = AutoModel.from_pretrained(tmp_path / "both")
    assert torch.allclose(seen(two)[1], wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda name, x: {name: x[..., :-1].contiguous()}, "size mismatch for"),
        (lambda name, x: {name.replace("layer.1", "layer.7"): x}, "layer.7"),
        (lambda name, x: {} if "layer.1" in name and "lora_B" in name else {name: x}, "lora_B"),
        (lambda name, x: {name: x * float("nan")}, "NaNs detected"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(spoil, told, network, tmp_path):
    from safetensors.torch import load_file, save_file

    trained(network(BASES[1], ["a", "b"]), "lora", ["a", "b"], tmp_path).save(tmp_path)
    weights = tmp_path / "adapter_model.safetensors"
    tensors = {}
    for name, tensor in load_file(weights).items():
        tensors |= spoil(name, tensor)
    save_file(tensors, weights)
    with pytest.raises(BadOption, match="`acme/first` can't be put into its base") as caught:
        network(BASES[1], ["a", "b"]).build_upon(Path(tmp_path), FIRST)
    assert told in caught.value.message
