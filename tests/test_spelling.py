"""Models that spell by CTC: a tone for each letter is learnt, and said again without hubtl."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig

import hubtl
from hubtl.plugins.hookspecs import Loading
from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.manager import plugins
from hubtl.plugins.speech.vocabulary import own_vocabulary
from hubtl.predictions import read_predictions
from hubtl.registry.cache import ModelCache
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadData, BadOption
from hubtl.registry.facts import read_facts
from hubtl.registry.fingerprint import files_in
from hubtl.transfer.cut import Fed, Tap, Uncut, cut_at, depth
from hubtl.transfer.layers import first_linear
from hubtl.transfer.quiet import quiet_libraries

from .plain import plain_python, said_by_cards
from .spelt import OWN, SPELLERS, TASK, speller, spelt_clips, write_spelt

LONG = {"patience": "99", "rows": "4"}
# Each recipe upon a base of its own.
RECIPES = {
    "top": ("wav2vec2", {"rate": "0.01", "epochs": "15", "head_rate": "2", **LONG}),
    "lora": ("wavlm", {"rate": "0.02", "epochs": "15", "head_rate": "2", **LONG}),
    "norm": ("hubert", {"rate": "0.02", "epochs": "15", "head_rate": "2", **LONG}),
    "full": ("wav2vec2-own", {"rate": "0.005", "epochs": "30", "head_rate": "1", **LONG}),
}
NETWORKS = pytest.mark.parametrize("name", list(SPELLERS))


@dataclass(frozen=True)
class Road:
    """A hub with the tiny bases on it, and clips of tones with what they say."""

    hub: Folder
    data: Path

    def base(self, name):
        return self.hub.cache.snapshot(f"acme/{name}")

    def network(self, name, **options):
        task = plugins().task(TASK)
        entry = Entry(f"acme/{name}", revision="0" * 40)
        return task.network(self.base(name), entry, (), "cpu", {**task.options, **options})

    def rows(self):
        with self.data.open() as file:
            return [
                (str(self.data.parent / row["file"]), row["text"]) for row in csv.DictReader(file)
            ]

    def adapt(self, name, recipe, out, data=None, **options):
        place = {"hub": self.hub.name, "domain": "general", "out": out}
        asked = {**RECIPES.get(recipe, ("", {}))[1], **options}
        return hubtl.adapt(
            TASK, data or self.data, base=f"acme/{name}", recipe=recipe, options=asked, **place
        ).folder


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    room = tmp_path_factory.mktemp("spelling")
    cache = ModelCache(room / "shelf")
    with quiet_libraries():
        for name in SPELLERS:
            cache.add(f"acme/{name}", files_in(speller(room / "made" / name, name)))
    return Road(Folder(cache.root), spelt_clips(room / "clips"))


@pytest.fixture(scope="module")
def folders(road, tmp_path_factory):
    """What each recipe made of its base."""
    room = tmp_path_factory.mktemp("adapted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUBTL_HOME", str(room / "home"))
        return {
            recipe: road.adapt(name, recipe, room / recipe) for recipe, (name, _) in RECIPES.items()
        }


@pytest.fixture(autouse=True)
def quiet():
    """Nothing of what WavLM warns of, which hubtl does not show either."""
    with quiet_libraries():
        yield


@NETWORKS
def test_a_clip_is_spelt_alike_whatever_is_in_its_batch(name, road):
    network, (paths, texts) = road.network(name), zip(*road.rows()[:6], strict=True)
    network.expect(paths, texts)
    network.body.eval()
    with torch.inference_mode():
        together = network.features(network.collate(paths))
        losses = network.text_losses(together, texts)
        for place, (path, text) in enumerate(zip(paths, texts, strict=True)):
            alone = network.features(network.collate([path]))
            frames = alone.shape[1]
            assert torch.allclose(together[place, :frames], alone[0], atol=1e-5)
            assert torch.allclose(losses[place], network.text_losses(alone, [text])[0], atol=1e-4)
    assert together.shape[1] == max(network.sizes(paths)) > min(network.sizes(paths))


@NETWORKS
def test_losses_are_those_of_transformers(name, road):
    network, (path, text) = road.network(name), max(road.rows(), key=lambda row: len(row[1]))
    network.expect([path], [text])
    network.body.eval()
    letters = network._vocabulary.spell(text)
    with torch.inference_mode():
        batch = network.collate([path])
        network.body.config.pad_token_id = network._vocabulary.blank
        network.body.config.ctc_loss_reduction = "sum"
        plain = network.body(batch["sound"], labels=torch.tensor([letters])).loss
        ours = network.text_losses(network.features(batch), [text])
    assert ours.item() * len(letters) == pytest.approx(plain.item(), rel=1e-4)


@NETWORKS
def test_layers_above_a_cut_go_on_from_kept_frames_or_it_says_why_not(name, road):
    network, paths = road.network(name), [path for path, _ in road.rows()[:4]]
    assert depth(network) == 3
    if name == "wavlm":
        with pytest.raises(Uncut, match="its layers don't run by themselves"):
            cut_at(network, 1, paths)
        return
    cut = cut_at(network, 1, paths)
    with torch.inference_mode(), Tap(network, 1) as tap:
        whole = network.features(network.collate(paths))
    with torch.inference_mode(), Fed(network, cut) as fed:
        assert torch.allclose(fed.features(network.outline(paths), tap.states), whole, atol=1e-5)


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_every_recipe_learns_to_spell_better_than_the_base(recipe, folders):
    facts = read_facts(folders[recipe])
    rival = "base" if recipe == "full" else "silence"
    assert facts.main_metric == "wer" and list(facts.baselines) == [rival]
    assert rival == "base" or facts.baselines["silence"] == {"wer": 1.0, "cer": 1.0}
    for name, rate in facts.baselines[rival].items():
        assert facts.metrics[name]["value"] < 0.6 * rate
    assert facts.beats_baseline


def test_the_cards_say_without_hubtl_what_was_measured(road, folders, tmp_path):
    cards = []
    for recipe, folder in folders.items():
        done = hubtl.publish(folder, f"acme/by-{recipe}", hub=road.hub.name)
        assert done.verified and done.metric["measured"] == done.metric["reproduced"]
        cards.append((road.hub.cache.snapshot(f"acme/by-{recipe}") / "README.md").read_text())
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUBTL_"))}
    about = {"HF_HUB_CACHE": str(road.hub.cache.root), "HF_HUB_OFFLINE": "1"}
    measured = [read_predictions(folder) for folder in folders.values()]
    said = said_by_cards(
        plain_python(tmp_path / "plain"), cards, [m.inputs for m in measured], {**kept, **about}
    )
    assert said == [each.predicted for each in measured]


def test_a_wavlm_is_updated_only_where_it_runs_and_the_card_says_so(folders):
    config = json.loads((folders["lora"] / "adapter_config.json").read_text())
    ends = {name.partition("layers.")[2].partition(".")[2] for name in config["target_modules"]}
    assert ends == {
        "attention.gru_rel_pos_linear",
        "feed_forward.intermediate_dense",
        "feed_forward.output_dense",
    }
    assert (
        "none in attention.k_proj, attention.out_proj, attention.q_proj, attention.v_proj, whose "
        "weights the base reads past any update"
    ) in (folders["lora"] / "README.md").read_text()


def test_a_base_without_letters_gets_those_of_the_texts(folders):
    assert json.loads((folders["top"] / "vocab.json").read_text()) == {
        "[PAD]": 0, "[UNK]": 1, "|": 2, "a": 3, "b": 4, "c": 5
    }  # fmt: skip
    config = json.loads((folders["top"] / "config.json").read_text())
    assert (config["vocab_size"], config["pad_token_id"]) == (6, 0)
    saved = json.loads((folders["top"] / "adapter_config.json").read_text())["modules_to_save"]
    assert "lm_head" in saved
    said = "spelt with 3 signs, those of the texts that were learnt from, and no other"
    assert said in (folders["top"] / "README.md").read_text()


def test_a_base_is_judged_by_its_words_or_where_it_has_no_letters_by_what_its_head_sees(folders):
    seen, spelt = (read_facts(folders[recipe]).retention for recipe in ("top", "full"))
    assert (seen["rows"], seen["loss_before"]) == (120, None)
    assert 0.08 < seen["score"] <= 1 and "nearest neighbours" in seen["how"]
    # Of random weights no word is right, and it says so.
    assert (spelt["score"], spelt["rows"]) == (None, 16) and spelt["loss_before"] >= 1


def test_letters_of_the_bases_own_are_kept_to_the_byte(road, folders):
    for name in ("vocab.json", "tokenizer_config.json", "preprocessor_config.json"):
        assert (folders["full"] / name).read_bytes() == (
            road.base("wav2vec2-own") / name
        ).read_bytes()


def test_a_letter_that_the_base_lacks_is_new_beside_its_own(road, tmp_path):
    network = road.network("wav2vec2-own")
    assert network._vocabulary.how == "spelt with the base's own 4 signs and no other"
    before = network.head.weight.clone()
    paths = sorted((path for path, _ in road.rows()), key=lambda path: network.sizes([path])[0])
    network.expect(paths[-2:], ["ab é", "don't, sir"])
    tokens = network._vocabulary.tokens
    assert list(tokens) == [*OWN, "D", "I", "N", "O", "R", "S", "T", "É"]
    assert torch.equal(network.head.weight[: len(OWN)], before)
    assert network.head.out_features == len(tokens)
    assert network._vocabulary.how == (
        "spelt with 12 signs, 4 of the base's own and 8 of the texts that were learnt from, and no "
        "other"
    )
    (tmp_path / "made").mkdir()
    network._vocabulary.save(road.base("wav2vec2-own"), tmp_path / "made")
    from transformers import Wav2Vec2CTCTokenizer

    tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(tmp_path / "made")
    spelt = network._vocabulary.spell("Ab, é don’t")
    assert tokenizer.decode(spelt, group_tokens=False, skip_special_tokens=True) == "AB É DON'T"


def test_an_adapter_upon_another_is_one_adapter_of_the_base(road, folders, tmp_path):
    network, (path, text) = road.network("wav2vec2"), road.rows()[0]
    network.expect([path], [text])
    network.build_upon(folders["top"], Entry("acme/by-top", revision="1" * 40))
    network.carry(LoraConfig(r=1, target_modules=[first_linear(network.body)]))
    with torch.no_grad():
        network.head.weight.normal_()
    (tmp_path / "made").mkdir()
    network.save(tmp_path / "made")
    inputs = network.describe_inputs([path])
    loading = Loading(str(tmp_path / "made"), str(road.base("wav2vec2")), "main", (), inputs)
    names = {}
    exec(plugins().task(TASK).snippet(tmp_path / "made", loading), names)
    with torch.inference_mode():
        trained = network.head(network.features(network.collate([path])))
        clip = names["extractor"](names["read_clip"](path, 16_000, False), return_tensors="pt")
        assert torch.allclose(names["model"](**clip).logits, trained, atol=1e-4)
    assert len(json.loads((tmp_path / "made" / "vocab.json").read_text())) == trained.shape[-1]


def test_a_vocabulary_of_no_letters_or_of_no_trained_head_is_none(road, tmp_path):
    base = shutil.copytree(road.base("wav2vec2-own"), tmp_path / "base")
    assert own_vocabulary(base, len(OWN), verbatim=False).own == len(OWN)
    assert own_vocabulary(base, 0, verbatim=False).own == 0
    for strange in ({"eng": {"a": 0}}, {"<pad>": 0, "ai": 1}):
        (base / "vocab.json").write_text(json.dumps(strange))
        assert own_vocabulary(base, len(OWN), verbatim=False).own == 0


def test_a_clip_that_is_too_short_for_its_text_is_named(road, tmp_path):
    data = shutil.copytree(road.data.parent, tmp_path / "clips") / "clips.csv"
    write_spelt(data.parent / "long.wav", "a", np.random.default_rng(0))
    with data.open("a") as file:
        file.write(f"long.wav,{'abba' * 4},train\n")
    with pytest.raises(BadData, match="long.wav` makes 9 frames, and its text takes 23 to spell"):
        road.adapt("wav2vec2", "lora", tmp_path / "out", data)
    assert not (tmp_path / "out").exists()


def test_a_linear_head_is_refused_before_any_work(road, tmp_path):
    with pytest.raises(BadOption, match="`probe` makes a head that tells classes apart"):
        road.adapt("wav2vec2", "probe", tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model_type": "data2vec-audio"}, "of the family `data2vec-audio`, which hubtl can't"),
        ({"add_adapter": True}, "the base has layers after its encoder that take several frames"),
    ],
)  # fmt: skip
def test_a_base_that_can_not_spell_is_refused(changes, told, road, tmp_path):
    base = shutil.copytree(road.base("wav2vec2"), tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, **changes}))
    task = plugins().task(TASK)
    with pytest.raises(BadOption, match=told):
        task.network(base, Entry("acme/strange", revision="0" * 40), (), "cpu", task.options)
