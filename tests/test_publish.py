"""`publish`: what you publish is what you measured, or it is not published."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import hubtl
from hubtl.predictions import read_predictions
from hubtl.registry.cache import ModelCache
from hubtl.registry.errors import HubtlError
from hubtl.registry.facts import read_facts
from hubtl.registry.fingerprint import content_revision, files_in, sha256

NAME = "acme/moods"


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder with their content, locks apart."""
    paths = [path for path in folder.rglob("*") if path.is_file() and "locks" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def refused(folder, shelf, **more) -> str:
    """Return why publishing is refused, and check that the hub is as it was."""
    before = tree(shelf.cache.root)
    with pytest.raises(HubtlError) as caught:
        hubtl.publish(folder, NAME, hub=shelf.name, **more)
    after = tree(shelf.cache.root)
    assert after == before
    return f"{caught.value.message} | {caught.value.hint}"


def spoil_value(tensors, name):
    tensors[name].view(-1)[0] += 3.0


def change(folder, *path, to):
    facts = json.loads((folder / "hubtl.json").read_text())
    inner = facts
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    (folder / "hubtl.json").write_text(json.dumps(facts))


def test_what_is_published_says_what_was_measured(adapted, shelf):
    done = hubtl.publish(adapted, NAME, hub=shelf.name)
    measured = read_facts(adapted).metrics["accuracy"]["value"]
    assert done.verified
    assert done.metric == {"name": "accuracy", "measured": measured, "reproduced": measured}
    assert shelf.cache.resolve(NAME) == done.commit


def test_the_commit_is_the_content(adapted, shelf):
    done = hubtl.publish(adapted, NAME, hub=shelf.name)
    files = files_in(shelf.cache.snapshot(NAME))
    assert done.commit == content_revision({path: sha256(at) for path, at in files.items()})


def test_nothing_private_is_published(adapted, shelf):
    hubtl.publish(adapted, NAME, hub=shelf.name)
    published = files_in(shelf.cache.snapshot(NAME))
    assert "predictions.parquet" not in published
    assert set(published) == {*read_facts(adapted).files, "README.md", "hubtl.json"}


def test_the_cards_code_runs_as_it_stands_with_stock_libraries(adapted, shelf, tmp_path):
    hubtl.publish(adapted, NAME, hub=shelf.name)
    before = read_predictions(adapted)
    card = shelf.cache.snapshot(NAME) / "README.md"
    program = tmp_path / "program.py"
    code = card.read_text().partition("```python\n")[2].partition("\n```")[0]
    program.write_text(
        f"{code}\nimport json, sys\nprint(json.dumps(predict(json.load(sys.stdin))))\n"
    )
    environment = {**os.environ, "HF_HUB_CACHE": str(shelf.cache.root), "HF_HUB_OFFLINE": "1"}
    said = subprocess.run(
        [sys.executable, program],
        input=json.dumps(before.inputs),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(said.stdout) == before.predicted


def test_a_second_version_replaces_the_first_and_both_have_their_names(adapt_once, shelf):
    first = hubtl.publish(adapt_once("probe", "acme/tiny-encoder"), NAME, hub=shelf.name, tag="v1")
    second = hubtl.publish(adapt_once("lora", "acme/tiny-bert"), NAME, hub=shelf.name, tag="v2")
    assert shelf.cache.refs(NAME) == {
        "main": second.commit,
        "v1": first.commit,
        "v2": second.commit,
    }
    assert hubtl.show(f"{NAME}@v1", hub=shelf.name).revision == first.commit


@pytest.mark.parametrize("tag", ["../../x", "/x", "a" * 40])
def test_a_tag_is_a_name_and_no_path(tag, adapted, shelf):
    assert "can't be the name of a version" in refused(adapted, shelf, tag=tag)


def test_a_tag_never_moves(adapt_once, shelf):
    first = hubtl.publish(adapt_once("probe", "acme/tiny-encoder"), NAME, hub=shelf.name, tag="v1")
    assert "has a version `v1` already" in refused(
        adapt_once("lora", "acme/tiny-encoder"), shelf, tag="v1"
    )
    assert shelf.cache.refs(NAME) == {"main": first.commit, "v1": first.commit}


def test_a_copy_under_another_name_is_not_taken_for_its_own(adapted, shelf):
    hubtl.publish(adapted, NAME, hub=shelf.name)
    shelf.cache.add("evil/other", files_in(shelf.cache.snapshot(NAME)))
    with pytest.raises(HubtlError, match="holds what was published as `acme/moods`"):
        hubtl.verify("evil/other", hub=shelf.name)


def test_verify_looks_at_the_hubs_base_and_not_at_our_copy_of_it(adapted, shelf):
    hubtl.publish(adapted, NAME, hub=shelf.name)
    ModelCache(Path(os.environ["HUBTL_HOME"]) / "hub").add(
        "acme/tiny-encoder",
        files_in(shelf.cache.snapshot("acme/tiny-encoder")),
        revision=shelf.cache.resolve("acme/tiny-encoder"),
    )
    weights = shelf.cache.snapshot("acme/tiny-encoder") / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 255
    weights.write_bytes(content)
    with pytest.raises(HubtlError, match="other bytes than the ones that are pinned"):
        hubtl.verify(NAME, hub=shelf.name)


def test_verify_judges_the_very_rows_that_were_measured(adapted, shelf, moods):
    hubtl.publish(adapted, NAME, hub=shelf.name)
    swapped = {"good": "bad", "bad": "good"}
    lines = [line.split(",") for line in moods.read_text().splitlines()]
    turned = [[text, swapped.get(label, label), part] for text, label, part in lines]
    moods.write_text("\n".join(",".join(cells) for cells in turned))
    done = hubtl.verify(NAME, hub=shelf.name, data=moods)
    assert done.metric["same_rows"] is False
    assert done.metric["reproduced"] < 0.5


def test_predictions_that_are_gone_are_told(adapted, shelf):
    (adapted / "predictions.parquet").unlink()
    assert "has no predictions.parquet" in refused(adapted, shelf)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"licence": None}, "`acme/tiny-encoder` has no licence"),
        ({"licence": "cc-by-nd-4.0"}, "does not allow derived models to be shared"),
        ({"base": "/home/ana/base"}, "the base `/home/ana/base` is a path on this machine"),
    ],
)  # fmt: skip
def test_what_must_not_be_published_is_refused(changed, told, adapted, shelf):
    facts = {**json.loads((adapted / "hubtl.json").read_text()), **changed}
    (adapted / "hubtl.json").write_text(json.dumps(facts))
    assert told in refused(adapted, shelf)


def test_a_pickle_is_refused(adapted, shelf):
    torch.save({}, adapted / "extra.bin")
    assert "`extra.bin` is a pickle" in refused(adapted, shelf)


def test_everything_that_stands_against_it_is_told_at_once(adapted, shelf):
    facts = {**json.loads((adapted / "hubtl.json").read_text()), "licence": None, "domain": None}
    (adapted / "hubtl.json").write_text(json.dumps(facts))
    (adapted / "extra.pkl").write_bytes(b"")
    why = refused(adapted, shelf)
    assert why.startswith("3 things stand against publishing")
    assert all(word in why for word in ("no licence", "extra.pkl", "--domain NAME"))


def test_a_hub_without_the_base_is_refused_or_given_it(adapted, tmp_path, shelf):
    empty = f"folder:{tmp_path / 'empty'}"
    with pytest.raises(HubtlError, match="the base `acme/tiny-encoder` at .* is not on") as caught:
        hubtl.publish(adapted, NAME, hub=empty)
    assert caught.value.hint == "add --with-base to put it there, as its licence allows"
    os.environ["HUBTL_HUB"] = shelf.name
    done = hubtl.publish(adapted, NAME, hub=empty, with_base=True)
    cache = ModelCache(tmp_path / "empty")
    assert cache.ids() == ["acme/moods", "acme/tiny-encoder"]
    assert cache.resolve("acme/tiny-encoder") == shelf.cache.resolve("acme/tiny-encoder")
    assert done.verified


@pytest.mark.parametrize("name", ["moods", "acme/mo ods", "acme/..", "a/b/c", "acme/x.git", "../x"])
def test_a_name_that_no_hub_accepts_is_refused(name, adapted, shelf):
    before = tree(shelf.cache.root)
    with pytest.raises(HubtlError, match="is no name that a hub accepts"):
        hubtl.publish(adapted, name, hub=shelf.name)
    assert tree(shelf.cache.root) == before


def test_without_a_hub_it_refuses_and_says_how(adapted, hubtl_cli):
    said = hubtl_cli(f"publish {adapted} --to {NAME}")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "error: publish to which hub?\n\n"
        "hint: say --hub hf or --hub folder:PATH, or set it once: `hubtl config hub folder:PATH`\n"
    )


def test_a_dry_run_shows_files_and_card_and_writes_nothing(adapted, shelf):
    before = tree(shelf.cache.root)
    shown = hubtl.publish(adapted, NAME, hub=shelf.name, dry_run=True)
    assert "README.md" in shown.files
    assert "adapter = 'acme/moods'" in shown.card
    assert tree(shelf.cache.root) == before


def test_verify_proves_it_again_and_measures_new_rows(adapted, shelf, moods):
    hubtl.publish(adapted, NAME, hub=shelf.name)
    measured = read_facts(adapted).metrics["accuracy"]["value"]
    assert hubtl.verify(NAME, hub=shelf.name).verified
    assert hubtl.verify(NAME, hub=shelf.name, data=moods).metric["reproduced"] == measured


def test_verify_notices_what_was_changed_on_the_hub(adapted, shelf):
    done = hubtl.publish(adapted, NAME, hub=shelf.name)
    weights = shelf.cache.snapshot(NAME, done.commit) / "3_Dense" / "model.safetensors"
    tensors = load_file(weights)
    spoil_value(tensors, "linear.bias")
    save_file(tensors, weights, {"format": "pt"})
    with pytest.raises(HubtlError, match="has other bytes than the ones that are pinned"):
        hubtl.verify(NAME, hub=shelf.name)


def test_code_that_a_card_brings_along_is_never_run(adapted, shelf, tmp_path):
    done = hubtl.publish(adapted, NAME, hub=shelf.name)
    copy = shutil.copytree(shelf.cache.snapshot(NAME, done.commit), tmp_path / "copy")
    card = copy / "README.md"
    trap = tmp_path / "trap"
    card.write_text(
        card.read_text()
        .replace("acme/moods", "mallory/moods")
        .replace("num_labels = 2", f"open({str(trap)!r}, 'w')\nnum_labels = 2")
    )
    change(copy, "address", to="mallory/moods")
    ModelCache(shelf.cache.root).add("mallory/moods", files_in(copy))
    with pytest.raises(HubtlError, match="is not the one hubtl writes, so hubtl does not run it"):
        hubtl.predict("mallory/moods", ["fine"], hub=shelf.name)
    assert not trap.exists()


def test_predict_by_id_is_predict_by_folder(adapted, shelf, hubtl_cli):
    hubtl.publish(adapted, NAME, hub=shelf.name)
    texts = "'it was lovely' 'so very dark' ''"
    by_id = hubtl_cli(f"predict {NAME} {texts} --hub {shelf.name} --json")
    by_folder = hubtl_cli(f"predict {adapted} {texts} --hub {shelf.name} --json")
    assert by_id.json == by_folder.json
    assert [each["input"] for each in by_id.json["predictions"]] == [
        "it was lovely",
        "so very dark",
        "",
    ]
    for each in by_id.json["predictions"]:
        assert each["score"] == max(each["scores"].values())
        assert sum(each["scores"].values()) == pytest.approx(1)


def test_evaluate_pairs_two_models_on_the_same_rows(adapted, shelf, moods):
    found = hubtl.evaluate(adapted, moods, against=str(adapted), hub=shelf.name).as_json()
    assert found["rows"] == {"train": 0, "validation": 0, "test": 20}
    assert found["against"]["difference"] == {"metric": "accuracy", "value": 0, "low": 0, "high": 0}
    assert found["metrics"] == {
        **found["metrics"],
        "accuracy": read_facts(adapted).metrics["accuracy"],
    }
