"""Which layers `top` trains: those that do their share of the work, and what comes after them."""

from __future__ import annotations

import pytest

from hubtl.plugins.manager import plugins
from hubtl.plugins.methods.top import LARGER, SMALLER, last_layers
from hubtl.registry.entry import Entry
from hubtl.transfer.layers import above_stack, work_by_layer
from hubtl.transfer.quiet import quiet_libraries
from hubtl.transfer.rates import weight_groups

from .tiny import clip_folder, hub_of, picture_folder

TEXTS = ["a short text", "one that is a little longer"]
LITE0 = [40, 117, 103, 73, 79, 47, 64, 64, 82, 131, 131, 88, 92, 92, 92, 118]  # MFLOPs of a block


def network(base, task, labels=("a", "b")):
    """Return a network for a task, all frozen."""
    of = plugins().task(task)
    with quiet_libraries():
        return of.network(base, Entry("acme/x", revision="0" * 40), labels, "cpu", of.options)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Pictures, clips, and a tiny model of each."""
    room = tmp_path_factory.mktemp("top")
    hub_of(room, "efficientnet", "vit", "whisper")
    picture_folder(room / "pictures", rows=1)
    clip_folder(room / "clips", rows=1)
    return room


def pictures(room):
    return [str(path) for path in (room / "pictures").rglob("*.png")][:2]


@pytest.mark.parametrize(
    ("work", "share", "layers"),
    [
        ([7] * 6, SMALLER, 1),
        ([7] * 6, LARGER, 2),
        ([7] * 12, LARGER, 4),
        (LITE0, SMALLER, 3),
        (LITE0, LARGER, 5),
        ([1, 1], LARGER, 1),
        ([9, 1], LARGER, 1),
    ],
)
def test_as_many_layers_as_do_a_share_of_the_work_and_never_all(work, share, layers):
    assert last_layers(work, share) == layers


def test_the_layers_of_an_encoder_do_the_same_work(shelf):
    net = network(shelf.cache.snapshot("acme/tiny-encoder"), "text-classification")
    work = work_by_layer(net, TEXTS)
    assert len(work) == 2
    assert work[0] == work[1] > 0


def test_the_blocks_of_a_convolutional_network_do_what_they_do(room):
    work = work_by_layer(
        network(room / "made/efficientnet", "image-classification"), pictures(room)
    )
    assert len(work) == 3
    assert len(set(work)) == 3


def test_a_pooler_that_the_mean_passes_by_is_not_trained(shelf):
    net = network(shelf.cache.snapshot("acme/tiny-encoder"), "text-classification")
    assert above_stack(net, TEXTS) == []
    assert not any(weight.requires_grad for weight in net.body.parameters())


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("efficientnet", ["efficientnet.encoder.top_conv", "efficientnet.encoder.top_bn"]),
        ("vit", ["vit.layernorm"]),
    ],
)
def test_what_works_between_the_stack_and_the_head_is_found(room, name, found):
    net = network(room / "made" / name, "image-classification")
    assert above_stack(net, pictures(room)) == found


def test_the_last_norm_of_a_speech_encoder_is_found(room):
    net = network(room / "made/whisper", "audio-classification")
    clips = [str(path) for path in (room / "clips").rglob("*.wav")]
    assert above_stack(net, clips) == ["layer_norm"]


def test_what_comes_after_the_stack_learns_as_fast_as_its_last_layer(room):
    net = network(room / "made/vit", "image-classification")
    net.body.requires_grad_(True)
    peaks = {
        id(weight): group["peak"]
        for group in weight_groups(net, 1.0, 0.5, 1.0)
        for weight in group["params"]
    }
    named = {name: peaks[id(weight)] for name, weight in net.body.named_parameters()}
    layers = sorted({name.split(".")[2] for name in named if name.startswith("vit.layers")})
    assert named["vit.layernorm.weight"] == 1.0
    assert min(named.values()) == named["vit.embeddings.cls_token"] == 0.5 ** max(2, len(layers))
