"""An adapted model in another form says what the adapter says, or there is no such folder."""

from __future__ import annotations

import csv
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

import hubtl
from hubtl.plugins.export import HERE, Saved
from hubtl.plugins.hookspecs import Loading
from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.manager import plugins
from hubtl.predictions import read_predictions
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadOption, UnknownName
from hubtl.registry.facts import read_facts
from hubtl.registry.fingerprint import files_in
from hubtl.transfer.quiet import quiet_libraries

from .test_transcripts import tiny_whisper
from .tiny import clip_folder, hub_of, picture_folder, swin

SHORT = {"rate": "0.01", "epochs": "2"}
TASKS = {
    "image-classification": ("vit", {**SHORT, "several": "true"}),
    "audio-classification": ("whisper", {**SHORT, "several": "true"}),
}
QUIET = {"trim": False, "normaliser": "none"}
KINDS = {"red": "warm", "green": "cold", "blue": "cold", "low": "quiet", "high": "loud"}


@dataclass(frozen=True)
class Bench:
    """A hub of tiny bases, and what `lora` made of them by task."""

    hub: Folder
    adapted: dict[str, Path]


def two_labels(folder: Path) -> Path:
    """Write a table beside the classes of a folder that gives each file a second label."""
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "label"])
        for path in sorted(folder.glob("*/*")):
            table.writerow(
                [f"{path.parent.name}/{path.name}", f"{path.parent.name}|{KINDS[path.parent.name]}"]
            )
    return folder


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    room = tmp_path_factory.mktemp("bench")
    with quiet_libraries(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUBTL_HOME", str(room / "home"))
        hub = hub_of(room, "vit", "whisper")
        data = {
            "image-classification": two_labels(picture_folder(room / "pictures")),
            "audio-classification": two_labels(clip_folder(room / "clips")),
        }
        adapted = {
            task: hubtl.adapt(
                task,
                data[task],
                base=f"acme/{base}",
                recipe="lora",
                hub=hub.name,
                domain="general",
                options=options,
                out=room / "adapted" / task,
            ).folder
            for task, (base, options) in TASKS.items()
        }
    return Bench(hub, adapted)


@pytest.mark.parametrize(
    ("task", "form"),
    [
        ("image-classification", "onnx"),
        ("audio-classification", "onnx"),
        ("audio-classification", "merged"),
    ],
)
def test_pictures_and_sound_of_several_labels_say_it_on_all_test_rows(task, form, bench):
    folder = bench.adapted[task]
    done = hubtl.export(folder, format=form, out="out", hub=bench.hub.name)
    compared, rows = done.made.compared, len(read_predictions(folder).ids)
    assert compared["on"] == f"the {rows} test rows of the adapter"
    assert (compared["rows"], compared["other_labels"]) == (rows, 0)
    assert compared["widest"] < 1e-5
    assert "adapter_config.json" not in done.sizes
    text = b"".join(path.read_bytes() for path in files_in(Path("out")).values())
    assert str(folder.parent.parent).encode() not in text and str(Path.cwd()).encode() not in text


def test_a_merged_classifier_is_what_transformers_loads_by_itself(adapt_once, shelf):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = adapt_once("lora", "acme/tiny-bert")
    hubtl.export(folder, format="merged", hub=shelf.name)
    out, before = "exported/moods-merged", read_predictions(folder)
    model = AutoModelForSequenceClassification.from_pretrained(out)
    batch = AutoTokenizer.from_pretrained(out)(before.inputs, padding=True, return_tensors="pt")
    said = model(**batch).logits.argmax(1).tolist()
    assert [model.config.id2label[number] for number in said] == before.predicted


def test_a_graph_takes_texts_of_any_number_and_length(adapt_once, shelf):
    import onnxruntime

    folder = adapt_once("lora", "acme/tiny-bert")
    hubtl.export(folder, format="onnx", hub=shelf.name)
    out = Path("exported/moods-onnx")
    session = onnxruntime.InferenceSession(out / "model.onnx")
    assert [each.name for each in session.get_inputs()] == ["input_ids", "attention_mask"]
    for rows, length in ((1, 1), (3, 7)):
        ids = [[5] * length] * rows
        found = session.run(["logits"], {"input_ids": ids, "attention_mask": ids})
        assert found[0].shape == (rows, 2)
    labels = json.loads((out / "config.json").read_text())["id2label"]
    assert list(labels.values()) == json.loads((out / "export.json").read_text())["labels"]


def test_what_was_exported_before_is_replaced_and_nothing_else_is(adapted, shelf):
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("not to be lost")
    with pytest.raises(BadOption, match="`mine` holds something else already"):
        hubtl.export(adapted, format="merged", out="mine", hub=shelf.name)
    Path("mine").rename("old")
    Path("old/export.json").write_text("{}")
    done = hubtl.export(adapted, format="onnx", out="old", hub=shelf.name)
    assert set(done.sizes) == {
        *("README.md", "config.json", "export.json", "model.onnx"),
        *("tokenizer.json", "tokenizer_config.json"),
    }
    assert [path.name for path in Path().iterdir() if "old" in path.name] == ["old"]


def test_a_published_adapter_is_compared_on_public_inputs(adapted, shelf):
    facts = read_facts(adapted)
    files = {path: adapted / path for path in (*facts.files, "README.md", "hubtl.json")}
    commit = shelf.cache.add(str(facts.address), files)
    done = hubtl.export(str(facts.address), format="merged", out="whole", hub=shelf.name)
    assert done.made.compared["on"] == "hubtl's 20 public inputs"
    told = json.loads(Path("whole/export.json").read_text())
    assert told["adapter"] == {"id": "local/moods", "commit": commit, "files": dict(facts.files)}
    assert told["base"] == {"id": "acme/tiny-encoder", "commit": facts.base_revision}
    assert told["licence"] == "mit"
    card = Path("whole/README.md").read_text()
    assert f"- Adapter: `local/moods` at `{commit}`" in card
    assert "base_model:\n- acme/tiny-encoder\n- local/moods\n" in card


def test_a_merge_rounded_to_bf16_is_found_out_and_not_kept(adapted, shelf, install, hubtl_cli):
    install(
        "rounded",
        """
import hubtl
from hubtl.plugins.exports.merged import Merged

class Rounded(Merged):
    name = "rounded"

    def write(self, task, saved, folder):
        from safetensors.torch import load_file, save_file

        code = super().write(task, saved, folder)
        weights = load_file(folder / "model.safetensors")
        rounded = {name: each.bfloat16().float() for name, each in weights.items()}
        save_file(rounded, folder / "model.safetensors", {"format": "pt"})
        return code

@hubtl.hookimpl
def register_exports():
    return [Rounded()]
""",
    )
    said = hubtl_cli(f"export {adapted} --format rounded --out rounded --hub {shelf.name}")
    assert (said.code, said.out) == (1, "")
    assert (
        "error: the model as `rounded` does not say what the adapter says on the 20 test rows of "
        "the adapter: 0 of 20 labels differ, 20 rows have a logit further off than 0.0001 of its "
        "largest" in said.err
    )
    assert not Path("rounded").exists()


def test_rows_to_compare_on_need_no_labels(adapted, shelf):
    Path("asked.csv").write_text("said,by\nthe room was lovely,ana\nit felt cold and dark,bo\n")
    told = hubtl.export(
        adapted, format="merged", data="asked.csv", columns={"text": "said"}, hub=shelf.name
    ).as_json()
    assert told["folder"] == "exported/moods-merged"
    assert (told["compared"]["on"], told["compared"]["rows"]) == ("2 rows", 2)
    assert told["size_bytes"] == sum(
        path.stat().st_size for path in files_in(Path("exported")).values()
    )


def test_speech_is_merged_as_a_whole_model(tmp_path):
    from peft import LoraConfig
    from transformers import WhisperForConditionalGeneration

    base, folder, out = (tmp_path / name for name in ("base", "adapted", "whole"))
    folder.mkdir()
    out.mkdir()
    task = plugins().task("automatic-speech-recognition")
    loading = Loading(HERE, "acme/w", "0" * 40, (), {"rate": 16_000, "trim": False})
    with quiet_libraries():
        tiny_whisper(base)
        network = task.network(base, Entry("acme/w", "folder", revision="0" * 40), (), "cpu", QUIET)
        network.carry(LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
        network.save(folder)
        saved = Saved(folder, tuple(files_in(folder)), base, loading)
        plugins().export("merged").write(task, saved, out)
    ids, mel = torch.tensor([[28, 1, 2]]), torch.randn(1, 16, 3000)
    with torch.inference_mode(), quiet_libraries():
        said = network.body.eval()(input_features=mel, decoder_input_ids=ids).logits
        whole = WhisperForConditionalGeneration.from_pretrained(out).eval()
        again = whole(input_features=mel, decoder_input_ids=ids).logits
        before = WhisperForConditionalGeneration.from_pretrained(base).eval()
        other = before(input_features=mel, decoder_input_ids=ids).logits
    assert float((said - again).abs().max()) < 1e-4 < float((said - other).abs().max())
    assert set(files_in(out)) == set(files_in(base)) - {"README.md"}


def test_a_task_that_gives_no_logits_in_one_go_has_no_graph(adapted):
    facts = read_facts(adapted)
    dataclasses.replace(facts, task="automatic-speech-recognition").write(adapted)
    with pytest.raises(BadOption) as refused:
        hubtl.export(adapted, format="onnx")
    assert refused.value.message == (
        "a model for automatic-speech-recognition can't be exported as `onnx`"
    )
    assert refused.value.hint == "--format merged"


def test_a_network_that_can_not_be_told_in_onnx_is_refused(tmp_path):
    with quiet_libraries():
        swin(tmp_path / "swin")
    names = tuple(files_in(tmp_path / "swin"))
    loading = Loading(HERE, "acme/swin", "0" * 40, ("a", "b", "c"), {})
    saved = Saved(tmp_path / "swin", names, tmp_path / "swin", loading)
    form, task = plugins().export("onnx"), plugins().task("image-classification")
    with pytest.raises(BadOption, match="torch can't write this network as ONNX: ") as refused:
        form.write(task, saved, tmp_path)
    assert refused.value.hint == "--format merged is a whole model"
    assert not (tmp_path / "model.onnx").exists()


def test_a_form_that_is_not_known_is_told_before_any_work(adapted):
    with pytest.raises(UnknownName) as unknown:
        hubtl.export(adapted, format="onx")
    assert unknown.value.message == "`onx` is not a format that hubtl knows"
    assert unknown.value.hint == "did you mean `onnx`? see `hubtl plugins`"
