"""`adapt` writes a folder that public libraries load, or leaves nothing."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import hubtl
from hubtl.plugins.text.probe_inputs import PROBE_INPUTS
from hubtl.registry.card import first_python_block, read_front_matter
from hubtl.registry.errors import HubtlError
from hubtl.registry.facts import LOCAL, read_facts
from hubtl.registry.fingerprint import files_in
from hubtl.transfer.quiet import quiet_libraries

from .conftest import QUICK, hear_ctrl_c

TASK = "text-classification"
PROBE = list(PROBE_INPUTS)


def left() -> list[str]:
    """Return what is in the working folder."""
    return sorted(path.name for path in Path().iterdir())


RECIPES = pytest.mark.parametrize("recipe", list(QUICK))


@RECIPES
@pytest.mark.parametrize("base", ["acme/tiny-bert", "acme/tiny-encoder"])
def test_every_recipe_learns_and_its_facts_are_whole(recipe, base, adapt_once):
    folder = adapt_once(recipe, base)
    facts = read_facts(folder).as_json(folder)
    keys = "folder task domain base base_revision recipe why rows metrics baselines beats_baseline"
    keys += " retention seconds peak_memory_bytes energy seed"
    assert set(facts) >= set(keys.split())
    if base == "acme/tiny-encoder":  # the first token of a random BERT knows little
        assert facts["metrics"]["accuracy"]["value"] > 0.8
    assert facts["rows"]["test"] == 20
    assert list(facts["loads"].values()) == ["works"]


@RECIPES
def test_public_libraries_alone_load_what_a_recipe_wrote(recipe, adapt_once, shelf):
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = adapt_once(recipe, "acme/tiny-bert")
    facts = read_facts(folder)
    if recipe == "full":
        assert not (folder / "adapter_config.json").exists()
        model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    else:
        config = json.loads((folder / "adapter_config.json").read_text())
        last = ["bert.encoder.layer.1", "bert.pooler.dense"]
        layers = last if recipe in ("top", "fewshot") else []
        assert config["modules_to_save"] == [*layers, "classifier"]
        assert config["base_model_name_or_path"] == "acme/tiny-bert"
        assert config["revision"] == facts.base_revision
        with quiet_libraries():
            model = AutoModelForSequenceClassification.from_pretrained(
                shelf.cache.snapshot("acme/tiny-bert"), num_labels=2
            )
            model = PeftModel.from_pretrained(model, folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(PROBE, padding=True, truncation=True, max_length=64, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**batch).logits
    assert torch.allclose(logits, torch.tensor(facts.probe["logits"]), atol=1e-4)


def test_a_probe_leaves_the_body_as_it_was(adapted):
    weights = load_file(adapted / "adapter_model.safetensors")
    updates = [weight for name, weight in weights.items() if "lora_B" in name]
    assert len(updates) == 1 and torch.count_nonzero(updates[0]) == 0


def test_labels_travel_in_the_config(adapted):
    config = json.loads((adapted / "config.json").read_text())
    assert config["id2label"] == {"0": "bad", "1": "good"}
    assert config["label2id"] == {"bad": 0, "good": 1}


def test_the_card_has_the_hubs_metadata_and_the_bases_licence(adapted):
    matter = read_front_matter(adapted / "README.md")
    assert matter["license"] == "mit"
    assert matter["base_model"] == "acme/tiny-encoder"
    assert matter["base_model_relation"] == "adapter"
    assert matter["library_name"] == "peft"
    assert matter["pipeline_tag"] == TASK
    assert {"base_model:adapter:acme/tiny-encoder", "domain:general"} <= set(matter["tags"])
    assert matter["model-index"][0]["results"][0]["metrics"][0]["type"] == "accuracy"


def test_the_cards_code_names_the_pin_the_labels_and_their_number(adapted):
    code = first_python_block((adapted / "README.md").read_text())
    facts = json.loads((adapted / "hubtl.json").read_text())
    assert facts["base_revision"] in code
    assert "labels = ['bad', 'good']\nnum_labels = 2\n" in code


def test_no_row_and_no_local_path_is_in_what_is_published(adapted, moods, tmp_path):
    for path in adapted.rglob("*"):
        if path.is_file() and path.name not in LOCAL:
            content = path.read_bytes()
            assert str(tmp_path).encode() not in content, path
            for line in moods.read_text().splitlines()[1:]:
                assert line.partition(",")[0].encode() not in content, path


def test_what_was_predicted_stays_here_and_only_its_owner_reads_it(adapted):
    assert stat.S_IMODE((adapted / "predictions.parquet").stat().st_mode) == 0o600
    assert stat.S_IMODE((adapted / "adapter_model.safetensors").stat().st_mode) == 0o644


def test_the_same_seed_writes_the_same_weights(adapt_once, shelf, moods):
    first = adapt_once("lora", "acme/tiny-encoder")
    again = hubtl.adapt(
        TASK,
        moods,
        base="acme/tiny-encoder",
        recipe="lora",
        hub=shelf.name,
        out=Path("again"),
        options=QUICK["lora"],
    ).folder
    assert weights_of(again) == weights_of(first)


def weights_of(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*.safetensors")}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"base": "acme/tiny-bart"}, "`acme/tiny-bart` is not a model in"),
        ({"recipe": "prob"}, "`prob` is not a recipe that hubtl knows | did you mean `probe`?"),
        ({"task": "text-clasification"}, "`text-clasification` is not a task that"),
        ({"domain": "generall"}, "`generall` is not a domain of the catalogue | did you mean"),
        ({"options": {"fold": "3"}}, "the recipe `probe` has no option `fold` | did you"),
        ({"options": {"folds": "many"}}, "`--set folds=many` needs a whole number | such as 5"),
        ({"device": "tpu"}, "there is no device `tpu` | --device cpu or --device cuda"),
        ({"out": Path("moods.csv")}, "`moods.csv` holds something else already | choose another"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_told_and_nothing_is_left_behind(asked, told, shelf, moods):
    asked = {"task": TASK, "base": "acme/tiny-encoder", "hub": shelf.name, **asked}
    with pytest.raises(HubtlError) as caught:
        hubtl.adapt(asked.pop("task"), moods, **asked)
    assert f"{caught.value.message} | {caught.value.hint}".startswith(told)
    assert left() == ["moods.csv"]


def test_another_result_is_never_written_over(adapted, shelf, moods):
    before = {path: path.read_bytes() for path in adapted.rglob("*") if path.is_file()}
    with pytest.raises(HubtlError, match="holds another result already"):
        hubtl.adapt(TASK, moods, base="acme/tiny-bert", hub=shelf.name, out=adapted)
    assert {path: path.read_bytes() for path in adapted.rglob("*") if path.is_file()} == before


def test_a_base_that_is_only_a_pickle_is_refused(shelf, moods, tmp_path):
    files = files_in(shelf.cache.snapshot("acme/tiny-bert"))
    torch.save(load_file(files.pop("model.safetensors")), tmp_path / "pytorch_model.bin")
    shelf.cache.add("acme/pickled", {**files, "pytorch_model.bin": tmp_path / "pytorch_model.bin"})
    with pytest.raises(HubtlError, match="has its weights only as a pickle"):
        hubtl.adapt(TASK, moods, base="acme/pickled", hub=shelf.name)
    assert left() == ["moods.csv"]


def test_a_base_with_a_changed_byte_is_refused(shelf, moods):
    weights = shelf.cache.snapshot("acme/tiny-bert") / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(
        HubtlError, match=r"`model.safetensors` of `acme/tiny-bert` has other bytes"
    ):
        hubtl.adapt(TASK, moods, base="acme/tiny-bert", hub=shelf.name)
    assert left() == ["moods.csv"]


def test_a_plan_says_what_would_be_done_and_does_nothing(shelf, moods):
    plan = hubtl.plan(TASK, moods, base="acme/tiny-bert", hub=shelf.name)
    assert plan.rows == {"train": 60, "validation": 0, "test": 20}
    assert plan.folder == str(Path("adapted", "moods-probe"))
    assert left() == ["moods.csv"]


def limited(line, limit):
    """Run a command whose process may not write a file larger than `limit` bytes."""
    code = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); "
        "import hubtl.cli; hubtl.cli.main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *line.split()], capture_output=True, text=True
    )


@pytest.mark.parametrize("limit", [0, 3_000])
def test_a_disk_that_takes_no_more_is_told_and_nothing_is_left(limit, shelf, moods):
    done = limited(f"adapt {TASK} moods.csv --base acme/tiny-encoder --hub {shelf.name}", limit)
    assert done.returncode == 1
    assert "error: " in done.stderr and "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert left() == ["moods.csv"]


def test_ctrl_c_leaves_nothing_in_the_folder_and_says_how_to_go_on(shelf, moods):
    line = f"adapt {TASK} moods.csv --base acme/tiny-encoder --hub {shelf.name} --recipe lora"
    line += " --set epochs=500 --set patience=500"
    command = [sys.executable, "-m", "hubtl", *line.split()]
    piped = {"stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=hear_ctrl_c, **piped) as process:
        assert process.stderr is not None
        while "training" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.endswith("stopped; the same command with --resume goes on from here\n")
    assert left() == ["moods.csv"]
