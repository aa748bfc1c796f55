"""How near rows lie to what a base was made for is told, and has no part in its score."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hubtl.plugins.manager import plugins
from hubtl.plugins.text.kept_words import HOW, kept_words
from hubtl.ranked import Related
from hubtl.registry.entry import Entry
from hubtl.relatedness import related_to
from hubtl.transfer.split import Example

from .test_rank import BERT, ENCODER, TASK, rank, said

TASKS = plugins().tasks
ENGLISH = ["this is not what it was for you", "and that is the one in the room with it"]


def rows(*texts: str) -> list[Example]:
    return [Example(str(n), text, "") for n, text in enumerate(texts)]


def trained(folder: Path, texts: list[str], reads, model, trainer) -> Path:
    """Write a tokenizer trained on texts."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = reads
    tokenizer.train_from_iterator(texts, trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return folder


def test_a_word_is_kept_whole_if_it_is_one_known_token(tiny_folders):
    base = tiny_folders[ENCODER]
    assert kept_words(base, ["The room was GREAT, so great!"]).value == 1.0
    assert kept_words(base, ["the room", "was zebra"]).value == 0.75
    assert kept_words(base, ["room \u6f22"]).value == 0.5  # an unknown token
    assert kept_words(base, ["12 + 3", ""]) is None


@pytest.mark.parametrize("kind", ["bytes", "metaspace"])
def test_a_space_that_belongs_to_a_token_takes_no_word_apart(tmp_path, kind):
    from tokenizers import models, pre_tokenizers, trainers

    texts = ["the room was great"] * 20
    if kind == "bytes":
        reads, model = pre_tokenizers.ByteLevel(add_prefix_space=False), models.BPE()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet)
    else:
        reads, model = pre_tokenizers.Metaspace(), models.BPE()
        trainer = trainers.BpeTrainer(vocab_size=60, initial_alphabet=list("abcdefghijklmno"))
    base = trained(tmp_path / "base", texts, reads, model, trainer)
    assert kept_words(base, ["the room was great"]).value == 1.0
    assert kept_words(base, ["the room the maid"]).value == 0.75


def test_what_a_model_states_is_held_against_the_rows_and_what_it_does_not_is_unknown(tiny_folders):
    task, base = TASKS[TASK], tiny_folders[ENCODER]

    def related(entry: Entry, texts=ENGLISH, domain: str | None = "legal") -> tuple:
        found = related_to(entry, task, base, rows(*texts), domain)
        return found.domain, found.language

    legal = Entry("a", domains=("legal", "finance"), languages=("en",))
    assert related(legal) == (True, True)
    assert related(legal, domain="medical") == (False, True)
    assert related(legal, ["der die das und ist"], None) == (None, False)
    assert related(legal, ["so so"], None) == (None, None)
    assert related(Entry("b")) == (None, None)
    assert related(dataclasses.replace(legal, languages=("multilingual",))) == (True, None)


def test_a_task_that_can_t_tell_leaves_what_models_state():
    entry = Entry("a", domains=("medical",), languages=("en",))
    found = related_to(entry, TASKS["image-classification"], Path(), rows("x.png"), "medical")
    assert found == Related(domain=True)


def test_it_is_told_beside_the_score_and_has_no_part_in_it(shelf, moods):
    plain = rank(shelf, moods, BERT, ENCODER)
    assert [(each.related.how, each.related.value) for each in plain.ranking] == [(HOW, 1.0)] * 2
    assert (plain.domain, plain.as_json()["ranking"][0]["related"]["domain"]) == (None, None)
    assert "related" not in plain.weights and said(plain) == said(rank(shelf, moods, BERT, ENCODER))
