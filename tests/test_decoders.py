"""A model that reads from left to right is refused in plain words, and ranked around."""

from __future__ import annotations

import shutil

import pytest

import hubtl
from hubtl.registry.errors import BadOption
from hubtl.registry.fingerprint import files_in

from .tiny import WIDE

TASK, DECODER, ENCODER = "text-classification", "acme/tiny-llama", "acme/tiny-encoder"
REFUSAL = "`acme/tiny-llama` reads from left to right and judges every word"


@pytest.fixture
def with_a_decoder(shelf, tiny_folders, tmp_path):
    """The shelf with a tiny Llama on it, which splits words as the tiny BERT does."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path / "tiny-llama"
    shutil.copytree(tiny_folders["acme/tiny-bert"], folder)
    config = LlamaConfig(**WIDE, vocab_size=2000, pad_token_id=0)
    LlamaForCausalLM(config).save_pretrained(folder)
    shelf.cache.add(DECODER, files_in(folder))
    return shelf


def test_adapting_it_is_refused(with_a_decoder, moods, tmp_path):
    with pytest.raises(BadOption, match=REFUSAL):
        hubtl.adapt(TASK, moods, base=DECODER, hub=with_a_decoder.name, out=tmp_path / "out")


def test_a_ranking_tells_it_in_its_row_and_goes_on(with_a_decoder, moods):
    found = hubtl.rank(TASK, moods, candidates=[DECODER, ENCODER], hub=with_a_decoder.name)
    assert [each.id for each in found.ranking] == [ENCODER]
    assert [(each.id, each.why.startswith(REFUSAL)) for each in found.failed] == [(DECODER, True)]
