"""`publish` of a folder that was changed since it was measured: caught, whatever was changed."""

from __future__ import annotations

import json
import math

import pytest
from safetensors.torch import load_file, save_file

import hubtl
from hubtl.registry.errors import HubtlError
from hubtl.registry.fingerprint import sha256

from .test_publish import change, refused, spoil_value


def spoil_nan(tensors, name):
    tensors[name].view(-1)[0] = float("nan")


def spoil_zero(tensors, name):
    tensors[name].zero_()


WEIGHTS = ["adapter_model.safetensors", "3_Dense/model.safetensors"]


def spoilt(folder, weights, spoil):
    tensors = load_file(folder / weights)
    spoil(tensors, sorted(tensors)[-1])
    save_file(tensors, folder / weights, {"format": "pt"})
    return folder


@pytest.mark.parametrize("spoil", [spoil_value, spoil_nan, spoil_zero])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_a_single_corrupted_tensor_is_caught_by_its_hash(weights, spoil, adapt_once, shelf):
    folder = spoilt(adapt_once("lora", "acme/tiny-encoder"), weights, spoil)
    assert f"`{weights}` is not the file that was measured" in refused(folder, shelf)


@pytest.mark.parametrize(
    ("weights", "spoil", "told"),
    [
        (WEIGHTS[0], spoil_value, "the folder does not say what was measured"),
        (WEIGHTS[0], spoil_zero, "of which nothing is made: its lora_B is zero"),
        (WEIGHTS[1], spoil_value, "the folder does not say what was measured"),
        (WEIGHTS[1], spoil_nan, "its weights hold numbers that are not finite"),
    ],
)
def test_where_the_hash_was_changed_too_looking_and_comparing_catch_it(
    weights, spoil, told, adapt_once, shelf
):
    folder = spoilt(adapt_once("lora", "acme/tiny-encoder"), weights, spoil)
    facts = json.loads((folder / "hubtl.json").read_text())
    facts["files"][weights] = sha256(folder / weights)
    (folder / "hubtl.json").write_text(json.dumps(facts))
    assert told in refused(folder, shelf)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("metrics", "accuracy", "value"), 0.999),
        (("metrics", "accuracy", "low"), 0.999),
        (("metrics", "macro_f1", "value"), 0.1),
        (("baselines", "tfidf", "accuracy"), 0.01),
        (("beats_baseline",), "perhaps"),
        (("data", "test_fingerprint"), "0" * 64),
    ],
)
def test_a_number_that_was_changed_is_caught(path, to, adapted, shelf):
    change(adapted, *path, to=to)
    assert "the predictions in the folder don't give that" in refused(adapted, shelf)


def test_probe_logits_that_were_changed_are_caught(adapted, shelf):
    facts = json.loads((adapted / "hubtl.json").read_text())
    change(
        adapted, "probe", "logits", to=[[x + 1 for x in row] for row in facts["probe"]["logits"]]
    )
    assert "the folder does not say what was measured" in refused(adapted, shelf)


@pytest.mark.parametrize(
    ("path", "to", "told"),
    [
        (("files", "../secret.txt"), "0" * 64, "may not be among its files"),
        (("files", "predictions.parquet"), "0" * 64, "may not be among its files"),
        (("files",), [1], "is damaged"),
        (("base_revision",), "main", "`base_revision` is no commit"),
        (("labels",), [1, 2], "a label is no text"),
        (("calibration", "temperature"), 10**400, "is damaged"),
        (("calibration", "temperature"), 0.0, "its temperature is no number above zero"),
        (("data", "fingerprint"), None, "`fingerprint` of its data is no text"),
        (("data", "commonest"), 7, "`commonest` of its data is no text"),
        (("data", "fields"), [{}], "a column of its inputs is no text"),
        (("data", "groups"), "many", "`groups` of its data is no count"),
        (("data", "numbers"), [1.0, 2.0], "is damaged"),
        (("data", "numbers"), {"mean": "x", "deviation": 1.0}, "are no mean and deviation of one"),
        (("data", "numbers"), {"mean": 0.0, "deviation": 0.0}, "are no mean and deviation of one"),
        (
            ("data", "numbers"),
            {"mean": 0, "deviation": 1, "most": "x"},
            "are no mean and deviation",
        ),
        (("data", "numbers"), {"mean": math.nan, "deviation": 1.0}, "are no mean and deviation of"),
        (("format",), "9", "was written by another hubtl"),
    ],
)
def test_facts_that_could_do_harm_are_refused(path, to, told, adapted, shelf):
    change(adapted, *path, to=to)
    assert told in refused(adapted, shelf)


def test_no_number_of_a_strangers_facts_becomes_code(adapted, shelf, tmp_path):
    trap = tmp_path / "trap"
    change(adapted, "inputs", "max_length", to=f"(open({str(trap)!r}, 'w').close() or 64)")
    with pytest.raises(HubtlError, match="does not tell how it is loaded"):
        hubtl.predict(adapted, ["fine"], hub=shelf.name)
    assert not trap.exists()
