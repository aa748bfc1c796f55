"""A Whisper of random weights learns to write down tones, and says the same without hubtl."""

from __future__ import annotations

import csv
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import hubtl
from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.manager import plugins
from hubtl.plugins.speech.probe_inputs import PROBE_INPUTS
from hubtl.registry.cache import ModelCache
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadData, BadOption
from hubtl.registry.facts import read_facts
from hubtl.registry.fingerprint import files_in
from hubtl.transfer.cut import Fed, Tap, cut_at, depth
from hubtl.transfer.layers import layer_stack
from hubtl.transfer.network import batches
from hubtl.transfer.quiet import quiet_libraries

TASK = "automatic-speech-recognition"
RATE = 16_000
PITCHES = {"low": 220.0, "high": 1760.0}
LONG = {"epochs": "30", "patience": "30", "rows": "4"}
RECIPES = {
    "lora": {"rate": "0.02", "layers": "2", **LONG},
    "top": {"rate": "0.01", "layers": "1", **LONG},
    "norm": {"rate": "0.05", "epochs": "3"},
    "full": {"rate": "0.01", "epochs": "3"},
}


def tiny_whisper(folder: Path) -> None:
    """Write a Whisper of three encoder layers and one decoder layer, with a vocabulary of signs."""
    from transformers import WhisperConfig, WhisperForConditionalGeneration
    from transformers import WhisperFeatureExtractor as Extractor
    from transformers import WhisperTokenizer as Tokenizer

    special = ("endoftext", "startoftranscript", "en", "transcribe", "translate", "notimestamps")
    vocabulary = [*"abcdefghijklmnopqrstuvwxyzĠ", *(f"<|{name}|>" for name in special)]
    Tokenizer(vocab={each: n for n, each in enumerate(vocabulary)}, merges=[]).save_pretrained(
        folder
    )
    Extractor(feature_size=16).save_pretrained(folder)
    torch.manual_seed(7)
    config = WhisperConfig(
        d_model=32,
        encoder_layers=3,
        encoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=32,
        num_mel_bins=16,
        max_target_positions=16,
        vocab_size=len(vocabulary),
        init_std=0.2,
        **{f"{name}_token_id": 27 for name in ("pad", "bos", "eos")},
        decoder_start_token_id=28,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    WhisperForConditionalGeneration(config).save_pretrained(folder)
    (folder / "README.md").write_text(f"---\nlicense: mit\npipeline_tag: {TASK}\n---\n# tiny\n")


def write_tone(path: Path, pitch: float, seconds: float) -> None:
    times = np.arange(int(seconds * RATE)) / RATE
    tone = 0.4 * np.sin(2 * np.pi * pitch * times) + np.random.default_rng(0).normal(0, 0.01)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((tone * 32767).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Folder:
    room = tmp_path_factory.mktemp("transcripts")
    with quiet_libraries():
        tiny_whisper(room / "made")
    cache = ModelCache(room / "shelf")
    cache.add("acme/tiny-whisper", files_in(room / "made"))
    return Folder(cache.root)


def write_tones(room: Path) -> Path:
    """Write a table of 24 clips of 0.3 to 1.9 s, told to be `low` or `high`; eight are to test."""
    (room / "clips").mkdir()
    with (room / "tones.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "text", "split"])
        for number in range(24):
            name = list(PITCHES)[number % 2]
            path = Path("clips", f"{number}.wav")
            write_tone(room / path, PITCHES[name] * (1 + number / 500), 0.3 + number / 15)
            table.writerow([path, name, "test" if number < 8 else "train"])
    return room / "tones.csv"


@pytest.fixture
def tones() -> Path:
    return write_tones(Path())


def adapt(shelf: Folder, data: Path, recipe: str, **options: str) -> Path:
    asked = {**RECIPES.get(recipe, {}), **options}
    out = Path("adapted", recipe)
    place = {"base": "acme/tiny-whisper", "hub": shelf.name, "out": out, "domain": "general"}
    hubtl.adapt(TASK, data, recipe=recipe, options=asked, **place)
    return out


@pytest.fixture
def network(shelf: Folder) -> Any:
    base = shelf.cache.snapshot("acme/tiny-whisper")
    options = {"trim": False, "normaliser": "basic"}
    entry = Entry("acme/tiny-whisper", revision="0" * 40)
    with quiet_libraries():
        return plugins().task(TASK).network(base, entry, (), "cpu", options)


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_every_recipe_learns_what_is_said_and_a_card_says_it_without_hubtl(recipe, shelf, tones):
    folder = adapt(shelf, tones, recipe)
    facts = read_facts(folder)
    assert facts.main_metric == "wer" and set(facts.baselines) == {"base"}
    assert facts.labels == () and facts.rows["test"] == 8
    said = [
        each.label for each in hubtl.predict(folder, ["clips/0.wav", "clips/1.wav"], hub=shelf.name)
    ]
    if recipe in ("lora", "top"):
        assert facts.metrics["wer"]["value"] < 0.2 and said == ["low", "high"]
    assert all(
        0 < each.score <= 1 for each in hubtl.predict(folder, ["clips/0.wav"], hub=shelf.name)
    )


def test_a_transcript_is_evaluated_and_compared(shelf, tones):
    folder = adapt(shelf, tones, "lora")
    found = hubtl.evaluate(folder, tones, against=str(folder), hub=shelf.name)
    assert set(found.metrics) == {"wer", "cer"}
    assert found.baselines == read_facts(folder).baselines, "kept of the rows that were measured"
    assert found.against["difference"]["value"] == 0


def test_a_linear_head_is_refused_before_any_work(shelf, tones):
    with pytest.raises(BadOption, match="`probe` makes a head that tells classes apart"):
        adapt(shelf, tones, "probe")
    assert not Path("adapted").exists()


def test_what_is_longer_than_a_model_hears_at_once_is_named(shelf, tones):
    write_tone(Path("clips/3.wav"), 300.0, 31.0)
    with pytest.raises(BadData, match="3.wav` is 31 s long"):
        adapt(shelf, tones, "lora")


def test_losses_are_those_of_transformers(network):
    texts, clips = ["low", "higher up"], list(PROBE_INPUTS[:2])
    network.model.eval()
    with torch.inference_mode():
        for text, clip in zip(texts, clips, strict=True):
            states = network.features(network.collate([clip]))
            ids = torch.tensor([network._tokens(text)])
            told = ids[:, 1:].clone()
            told[:, : len(network._prefix) - 1] = -100
            plain = network.model(
                encoder_outputs=(states,), decoder_input_ids=ids[:, :-1], labels=told
            ).loss
            ours = network.text_losses(states, [text])
            both = network.text_losses(torch.cat([states, states]), [text, "another one"])
            assert ours.item() == pytest.approx(plain.item(), abs=1e-5)
            assert both[0].item() == pytest.approx(plain.item(), abs=1e-5)


@pytest.mark.parametrize("layer", [1, 2])
def test_the_decoder_goes_on_from_kept_states(network, layer):
    clips = list(PROBE_INPUTS)
    sizes = network.sizes(clips)
    with torch.inference_mode():
        network.model.eval()
        for numbers in batches(sizes, 4, alike=True):
            some = [clips[number] for number in numbers]
            cut = cut_at(network, layer, some)
            with Tap(network, layer) as tap:
                plain = network.features(network.collate(some))
            with Fed(network, cut) as fed:
                again = fed.features(network.outline(some), tap.states)
            assert len({sizes[number] for number in numbers}) == 1
            assert torch.allclose(plain, again, atol=1e-5)
    assert depth(network) == 3


def test_a_clip_sounds_the_same_whatever_is_in_its_batch(network):
    numbers = next(batches(network.sizes(PROBE_INPUTS), 8, alike=True))
    clips = [PROBE_INPUTS[number] for number in numbers]
    assert len(clips) > 1
    with torch.inference_mode():
        network.model.eval()
        together = network.features(network.collate(clips))
        alone = torch.cat([network.features(network.collate([clip])) for clip in clips])
    assert torch.allclose(together, alone, atol=1e-4)


def test_the_stack_stays_the_encoders_when_all_of_a_decoder_is_carried():
    from peft import LoraConfig, get_peft_model
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    each = {"layers": 4, "ffn_dim": 96}
    sizes = {f"{part}_{name}": n for part in ("encoder", "decoder") for name, n in each.items()}
    body = WhisperForConditionalGeneration(WhisperConfig(d_model=24, **sizes))
    assert layer_stack(body) == "model.encoder.layers"
    carried = ["encoder.layers.3", *(f"decoder.layers.{number}" for number in range(4))]
    with quiet_libraries():
        carrier = LoraConfig(r=1, target_modules=["encoder.layers.0.fc1"], modules_to_save=carried)
        wrapped = get_peft_model(body, carrier)
    assert layer_stack(wrapped).endswith("model.encoder.layers")
