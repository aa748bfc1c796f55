"""Networks of sound: a clip's features are its own, however it is batched, windowed or cut."""

from __future__ import annotations

import json
import shutil
import wave

import numpy as np
import pytest
import torch

from hubtl.plugins.manager import plugins
from hubtl.plugins.speech import encoders
from hubtl.registry.entry import Entry
from hubtl.registry.errors import BadOption
from hubtl.transfer.cut import Fed, Uncut, cut_at, depth
from hubtl.transfer.feed import FromCut, Whole
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.trunk import Shelf

from .tiny import PITCHES, RATE, SOUND, clip_folder, hub_of, write_clip

TASK = "audio-classification"
NETWORKS = pytest.mark.parametrize("name", list(SOUND))


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A folder of clips of two pitches, beside a hub of all tiny models."""
    room = tmp_path_factory.mktemp("sound")
    clip_folder(room / "pitches")
    hub_of(room, *SOUND)
    return room


@pytest.fixture(scope="module")
def clips(room):
    """The paths of ten clips of each pitch, of which three are heard in two windows or more."""
    return sorted(str(path) for path in (room / "pitches").rglob("*.wav"))


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    """Windows of 1 s, and nothing of what WavLM warns of, which hubtl does not show either."""
    monkeypatch.setattr(encoders, "WINDOW", 1)
    with quiet_libraries():
        yield


def base_of(room, name):
    return room / "made" / name


def made(room, name):
    """Return a network of a tiny model for the two pitches."""
    task = plugins().task(TASK)
    entry = Entry(f"acme/{name}", revision="0" * 40)
    return task.network(base_of(room, name), entry, sorted(PITCHES), "cpu", task.options)


@NETWORKS
def test_a_clips_features_do_not_depend_on_what_it_is_batched_with(name, room, clips):
    network = made(room, name)
    network.body.eval()
    feed = Whole(network, clips)
    with torch.inference_mode():
        together = feed.features(range(len(clips)))
        alone = torch.cat([feed.features([number]) for number in range(len(clips))])
    assert together.shape == (len(clips), 16)
    assert together.std(0).min() > 1e-3
    assert torch.allclose(together, alone, atol=1e-5)


@NETWORKS
def test_a_long_clip_is_heard_in_windows_that_weigh_as_much_as_they_last(name, room, tmp_path):
    network = made(room, name)
    network.body.eval()
    window = network.describe_inputs([])["window"]
    dice = np.random.default_rng(1)
    for length, pitch in (("whole", 300.0), ("more", 900.0)):
        write_clip(tmp_path / f"{length}.wav", pitch, window / RATE, dice)
    first, second = (read_samples(tmp_path / f"{each}.wav") for each in ("whole", "more"))
    network._trim = False
    long, rest, scrap = (str(tmp_path / f"{each}.wav") for each in ("long", "rest", "scrap"))
    write_samples(long, np.concatenate([first, second[: window // 2]]))
    write_samples(rest, second[: window // 2])
    write_samples(scrap, np.concatenate([first, second[: RATE // 10 - 1]]))
    with torch.inference_mode():
        feed = Whole(network, [long, str(tmp_path / "whole.wav"), rest, scrap])
        both, one, other, cut_off = feed.features(range(4))
    weights = [1.0, 1.0] if name == "ast" else [float(each) for each in feed.sizes[1:3]]
    mean = (weights[0] * one + weights[1] * other) / sum(weights)
    assert feed.sizes[0] == feed.sizes[1] + feed.sizes[2]
    assert torch.allclose(both, mean, atol=1e-5)
    assert torch.allclose(cut_off, one, atol=1e-5)


def read_samples(path):
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def write_samples(path, samples):
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


@NETWORKS
def test_from_each_layer_comes_what_comes_from_the_whole_or_it_says_why_not(name, room, clips):
    network = made(room, name)
    short = [clip for clip in clips if clip.endswith(("0.wav", "1.wav", "2.wav", "3.wav"))]
    with torch.inference_mode():
        whole = Whole(network, short).features([0, 3, 6])
    for layer in range(1, depth(network)):
        if name == "wavlm":
            with pytest.raises(Uncut, match="its upper layers need more|by themselves"):
                cut_at(network, layer, short[:4])
            continue
        cut = cut_at(network, layer, short[:4])
        trunk = Shelf(room / "trunks", 10**9).make(network, short, cut)
        with torch.inference_mode(), Fed(network, cut) as fed:
            found = FromCut(fed, trunk, short).features([0, 3, 6])
        assert torch.allclose(found, whole, atol=1e-5)


def test_clips_of_several_windows_are_not_cut_and_it_says_why(room, clips):
    with pytest.raises(Uncut, match="no row of states for each input"):
        cut_at(made(room, "whisper"), 1, clips)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model_type": "bert"}, "the base is of the family `bert`, which hubtl can't hear with"),
        ({"add_adapter": True}, "the base has layers after its encoder that take several frames"),
    ],
)  # fmt: skip
def test_a_base_that_can_not_be_heard_with_is_refused(changes, told, room, tmp_path):
    base = shutil.copytree(base_of(room, "wav2vec2"), tmp_path / "made" / "wav2vec2")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(BadOption, match=told):
        made(tmp_path, "wav2vec2")
