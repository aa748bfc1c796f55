"""A model's domains are told by what its metadata says, and each says by what."""

from __future__ import annotations

import pytest

from hubtl.plugins.hubs.hf_line import line
from hubtl.registry.catalog import catalogue
from hubtl.registry.domains import derived, sources
from hubtl.registry.entry import Entry
from hubtl.registry.vocabulary import vocabulary
from hubtl.registry.weights import entry_from_metadata


def test_all_domains_but_the_general_one_have_signs():
    assert {*vocabulary().domains, "general"} == set(catalogue().domains)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"model": "ProsusAI/finbert"}, {"finance": "name finbert"}),
        ({"model": "law-ai/InLegalBERT"}, {"legal": "name InLegalBERT"}),
        ({"model": "a/b", "tags": ["finance"]}, {"finance": "tag finance"}),
        ({"model": "a/b", "tags": ["dataset:lex_glue"]}, {"legal": "dataset lex_glue"}),
        ({"model": "a/b", "datasets": ["x/pubmed_qa"]}, {"medical": "dataset x/pubmed_qa"}),
        (
            {"model": "a/b", "tags": ["base_model:adapter:nlpaueb/legal-bert"]},
            {"legal": "base nlpaueb/legal-bert"},
        ),
        ({"model": "climate-policy/b"}, {"climate": "organisation climate-policy"}),
        ({"model": "a/b", "about": "For court decisions."}, {"legal": "summary court"}),
        ({"model": "m3rg-iitd/matscibert"}, {
            "science": "name matscibert", "chemistry": "name matscibert",
        }),
    ],
)  # fmt: skip
def test_each_domain_says_from_what_it_is_told(told, found):
    assert derived(**told) == found


# Names of models on the Hub, most of them as the catalogue's sources name them.
PLAIN = """
    google-bert/bert-base-uncased BAAI/bge-small-en-v1.5 intfloat/multilingual-e5-small
    Helsinki-NLP/opus-mt-en-fin TurkuNLP/bert-base-finnish-cased-v1 facebook/bart-large-cnn
    openai/whisper-tiny facebook/wav2vec2-base-960h microsoft/swin-tiny-patch4-window7-224
    DataScience-UIBK/Argus-Colqwen3.5-2b-v0 sentence-transformers/all-MiniLM-L6-v2
    answerdotai/ModernBERT-base google/siglip-base-patch16-224 openai/clip-vit-base-patch32
    lawrence/scaling-laws-llama-1b acme/biodegradable-qwen acme/code-switched-hindi-bert
    acme/newsletter-lora acme/mediterranean-gpt acme/secondary-t5 acme/outlaw acme/healthy-vit
""".split()


@pytest.mark.parametrize("name", PLAIN)
def test_a_name_that_only_looks_like_a_domain_tells_none(name):
    assert derived(name) == {}


def test_the_rule_finds_the_domains_that_people_gave_the_catalogue():
    right = wrong = missed = 0
    for entry in catalogue().entries:
        given = set(entry.domains) - {"general"}
        found = set(derived(entry.id, entry.tags, (), entry.about))
        right, wrong = right + len(found & given), wrong + len(found - given)
        missed += len(given - found)
    precision, recall = right / (right + wrong), right / (right + missed)
    assert precision >= 0.95 and recall >= 0.75, (precision, recall)


def test_what_a_card_states_counts_alone():
    matter = {"tags": ["domain:support", "hubtl"], "datasets": ["lex_glue"]}
    entry = entry_from_metadata("acme/legal-bert", "hf", matter, {}, "")
    assert dict(sources(entry)) == {"support": "its card"}


def test_an_adapter_in_a_hubs_listing_has_the_domain_of_its_base():
    tags = ["peft", "safetensors", "base_model:adapter:nlpaueb/legal-bert"]
    told = line({"id": "acme/x", "tags": tags, "gated": "manual"}, "hf")
    assert '"domains": ["legal"]' in told and '"trust": ["safetensors", "gated"]' in told


def test_show_says_from_what_a_domain_is_told():
    entry = Entry("acme/finbert", domains=("finance", "news"), tags=("news",))
    assert dict(sources(entry)) == {"finance": "name finbert", "news": "tag news"}
