"""`adapt --base ORG/ADAPTER`: one adapter of the original base, and it tells all it stands on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

import hubtl
from hubtl.registry.card import read_front_matter
from hubtl.registry.catalog import catalogue
from hubtl.registry.errors import HubtlError, Refused
from hubtl.registry.facts import read_facts
from hubtl.registry.fingerprint import files_in
from hubtl.registry.licences import chain_licence

from .conftest import QUICK

TASK, BASE = "text-classification", "acme/tiny-encoder"
MORE = {"lora": {"epochs": "2", "rate": "0.02"}, "top": {"rate": "0.002"}}


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """What was published or adapted once a session: the same files have the same commit."""
    return tmp_path_factory.mktemp("made"), set()


@pytest.fixture
def first(adapt_once, shelf, made):
    """An adapter by LoRA, on the shelf as `acme/first`; its commit."""
    room, done = made
    if "first" not in done:
        hubtl.publish(adapt_once("lora", BASE), "acme/first", hub=shelf.name)
        shutil.copytree(shelf.cache.snapshot("acme/first"), room / "first")
        done.add("first")
    return shelf.cache.add("acme/first", files_in(room / "first"))


@pytest.fixture
def upon(shelf, moods):
    """Adapt a model of the shelf further: `upon("acme/first", "probe")`."""

    def adapt(base, recipe):
        options = {**QUICK[recipe], **MORE.get(recipe, {})}
        asked = {"base": base, "recipe": recipe, "hub": shelf.name, "domain": "general"}
        return hubtl.adapt(TASK, moods, options=options, out=Path(f"{recipe}-upon"), **asked).folder

    return adapt


@pytest.fixture
def second(first, upon, made):
    """A copy of what the recipe probe makes upon `acme/first`."""
    room, done = made
    if "second" not in done:
        shutil.copytree(upon("acme/first", "probe"), room / "second")
        done.add("second")
    return shutil.copytree(room / "second", Path("second"))


# What fewshot saves is of the very form that top saves.
@pytest.mark.parametrize("recipe", [each for each in QUICK if each != "fewshot"])
def test_every_recipe_goes_from_an_adapter_to_a_verified_one(recipe, first, upon, shelf):
    folder = upon("acme/first", recipe)
    facts = read_facts(folder)
    base = {"id": BASE, "revision": shelf.cache.resolve(BASE), "licence": "mit"}
    assert (facts.base, facts.base_revision) == (BASE, base["revision"])
    assert facts.lineage == ({"id": "acme/first", "revision": first, "licence": "mit"}, base)
    shutil.rmtree(shelf.cache.folder("acme/first"))  # it need not be there any more
    assert hubtl.publish(folder, "acme/second", hub=shelf.name).verified
    assert hubtl.verify("acme/second", hub=shelf.name).verified


def test_the_head_start_is_used(second, adapt_once):
    started, plain = read_facts(second), read_facts(adapt_once("probe", BASE))
    logits = [torch.tensor(facts.probe["logits"]) for facts in (started, plain)]
    assert (logits[0] - logits[1]).abs().max() > 0.1


def test_the_card_names_the_base_first_and_the_adapter(first, second, shelf):
    matter = read_front_matter(second / "README.md")
    assert matter["base_model"] == [BASE, "acme/first"]
    assert matter["base_model_relation"] == "adapter"
    assert {f"base_model:adapter:{BASE}", "base_model:adapter:acme/first"} <= set(matter["tags"])
    told = f"- Made upon `acme/first` at `{first}`, licence mit. What was learnt there is a part"
    assert told in (second / "README.md").read_text()
    hubtl.publish(second, "acme/second", hub=shelf.name)
    assert hubtl.show("acme/second", hub=shelf.name).base == BASE
    for base in (BASE, "acme/first"):
        found = hubtl.search(hub=shelf.name, kind="adapter", base=base).entries
        assert "acme/second" in [entry.id for entry in found]


def test_three_in_a_row_name_each_other(first, second, upon, shelf):
    commit = hubtl.publish(second, "acme/second", hub=shelf.name).commit
    third = upon("acme/second", "norm")
    assert [(each["id"], each["revision"]) for each in read_facts(third).lineage] == [
        ("acme/second", commit),
        ("acme/first", first),
        (BASE, shelf.cache.resolve(BASE)),
    ]
    card = (third / "README.md").read_text()
    assert f"Made upon `acme/second` at `{commit}`, licence mit; that upon `acme/first`" in card
    assert hubtl.publish(third, "acme/third", hub=shelf.name).verified


def republish(shelf, licence):
    """Have `acme/first` come under another licence, as its owner would."""
    room = shutil.copytree(shelf.cache.snapshot("acme/first"), Path("room"))
    card = room / "README.md"
    card.write_text(card.read_text().replace("license: mit", f"license: {licence}"))
    shelf.cache.add("acme/first", files_in(room))


def test_the_stricter_licence_is_that_of_the_result(first, upon, shelf):
    republish(shelf, "cc-by-nc-4.0")
    folder = upon("acme/first", "probe")
    assert read_facts(folder).licence == "cc-by-nc-4.0"
    assert read_front_matter(folder / "README.md")["license"] == "cc-by-nc-4.0"
    assert hubtl.publish(folder, "acme/second", hub=shelf.name).verified


def test_licences_that_do_not_go_together_stop_the_publish(first, upon, shelf):
    republish(shelf, "acme-terms")
    folder = upon("acme/first", "probe")
    assert read_facts(folder).licence is None
    with pytest.raises(Refused) as caught:
        hubtl.publish(folder, "acme/second", hub=shelf.name)
    assert caught.value.message == (
        "the licences acme-terms of `acme/first` and mit of `acme/tiny-encoder` are not known to "
        "go together in one model"
    )


@pytest.mark.parametrize(
    ("licence", "of_adapter", "told"),
    [
        ("mit", "cc-by-nc-4.0", "asks for the licence cc-by-nc-4.0, and the folder says mit"),
        ("apache-2.0", "apache-2.0", "adapter `acme/first` has the licence mit, and the folder"),
        ("mit", None, "`acme/first` has no licence"),
    ],
)
def test_licences_that_were_changed_are_noticed(licence, of_adapter, told, second, shelf):
    facts = json.loads((second / "hubtl.json").read_text())
    facts["licence"], facts["lineage"][0]["licence"] = licence, of_adapter
    (second / "hubtl.json").write_text(json.dumps(facts))
    with pytest.raises(Refused) as caught:
        hubtl.publish(second, "acme/second", hub=shelf.name)
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("licences", "result"),
    [
        ("mit mit", "mit"),
        ("apache-2.0 mit", "mit"),
        ("acme-terms acme-terms", "acme-terms"),
        ("mit cc-by-sa-4.0", "cc-by-sa-4.0"),
        ("cc-by-nc-4.0 mit apache-2.0", "cc-by-nc-4.0"),
        ("openrail apache-2.0", "openrail"),
        ("cc-by-nc-4.0 cc-by-nc-sa-4.0", "cc-by-nc-sa-4.0"),
        ("cc-by-nc-4.0 cc-by-sa-4.0", None),
        ("gpl-3.0 cc-by-sa-4.0", None),
        ("openrail gpl-3.0", None),
        ("acme-terms mit", None),
        ("cc-by-nd-4.0 mit", None),
        ("mit -", None),
    ],
)
def test_the_licence_of_a_chain_keeps_all_of_them(licences, result):
    chain = [
        {"id": f"acme/{number}", "licence": None if licence == "-" else licence}
        for number, licence in enumerate(licences.split())
    ]
    if result:
        assert chain_licence(chain, catalogue().licences) == result
        return
    with pytest.raises(Refused):
        chain_licence(chain, catalogue().licences)


def stranger(shelf, *without, **config):
    """Put an adapter on the shelf that hubtl did not make, as `acme/strange`."""
    room = Path("stranger")
    shutil.copytree(shelf.cache.snapshot("acme/first"), room)
    (room / "hubtl.json").unlink()
    told = json.loads((room / "adapter_config.json").read_text())
    (room / "adapter_config.json").write_text(json.dumps({**told, **config}))
    for name in without:
        (room / name).rename(room / name.replace(".safetensors", ".bin"))
    shelf.cache.add("acme/strange", files_in(room))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"peft_type": "PROMPT_TUNING"}, "is an adapter of the kind PROMPT_TUNING, which can't be"),
        ({"revision": None}, "pins no commit of its base `acme/tiny-encoder`, so nobody can tell"),
        ({"revision": "main"}, "pins no commit of its base `acme/tiny-encoder`"),
        ({"revision": "a" * 40}, "is made from `acme/tiny-encoder` at aaaaaaa, and that is not"),
        ({"base_model_name_or_path": "/home/ana/x"}, "has `/home/ana/x` as its base, which is no"),
    ],
)
def test_an_adapter_that_nothing_can_be_made_upon_is_refused(changed, told, first, shelf, moods):
    stranger(shelf, **changed)
    with pytest.raises(HubtlError) as caught:
        hubtl.plan(TASK, moods, base="acme/strange", hub=shelf.name)
    assert f"`acme/strange` {told}" in caught.value.message


def test_an_adapter_that_is_a_pickle_is_refused(first, shelf, moods):
    stranger(shelf, "adapter_model.safetensors")
    with pytest.raises(Refused, match="`acme/strange` has its weights only as a pickle"):
        hubtl.plan(TASK, moods, base="acme/strange", hub=shelf.name)


def test_a_strangers_adapter_has_no_lineage_but_itself_and_its_base(first, upon, shelf):
    stranger(shelf)
    facts = read_facts(upon("acme/strange", "probe"))
    assert [each["id"] for each in facts.lineage] == ["acme/strange", BASE]


def test_one_of_another_shape_is_refused_and_leaves_nothing_but_a_plan_to_resume(
    first, upon, shelf, home
):
    stranger(shelf, r=3, alpha_pattern={}, rank_pattern={})
    with pytest.raises(HubtlError, match=r"`acme/strange` can't be put into its base: .*size"):
        upon("acme/strange", "probe")
    assert not Path("probe-upon").exists()
    plans = [json.loads(path.read_text()) for path in home.glob("unfinished/*/plan.json")]
    assert [plan["job"]["upon"] for plan in plans] == [
        f"acme/strange@{shelf.cache.resolve('acme/strange')}"
    ]


def test_a_dry_run_says_what_it_would_be_made_upon(first, shelf, moods, hubtl_cli):
    assert hubtl.plan(TASK, moods, base="acme/first", hub=shelf.name).upon == f"acme/first@{first}"
    line = f"adapt {TASK} moods.csv --base acme/first --hub {shelf.name} --dry-run"
    assert f"\nupon     acme/first@{first}\n" in hubtl_cli(line).out


def test_a_whole_model_of_hubtls_is_a_base_like_any_other(adapt_once, shelf, moods):
    hubtl.publish(adapt_once("full", BASE), "acme/whole", hub=shelf.name)
    plan = hubtl.plan(TASK, moods, base="acme/whole", hub=shelf.name)
    assert (plan.base, plan.upon) == ("acme/whole", None)


@pytest.mark.parametrize(
    ("lineage", "told"),
    [
        ([{"id": "a](b", "revision": "1" * 40, "licence": None}], "is no model that it could be"),
        ([{"id": "a/b", "revision": "main", "licence": None}], "is no commit of `a/b`"),
        ([{"id": "a/b", "revision": "1" * 40, "licence": "x\ny"}], "is no licence of `a/b`"),
        ([{"id": "a/b", "revision": "1" * 40, "licence": None}], "does not end with its base"),
        ("ab", "is damaged"),
    ],
)
def test_a_lineage_that_could_do_harm_is_refused(lineage, told, adapted):
    facts = json.loads((adapted / "hubtl.json").read_text())
    (adapted / "hubtl.json").write_text(json.dumps({**facts, "lineage": lineage}))
    with pytest.raises(HubtlError, match="is damaged") as caught:
        read_facts(adapted)
    assert told in caught.value.message


def test_a_folder_without_the_key_is_read_as_one_of_a_base(adapted, shelf):
    facts = json.loads((adapted / "hubtl.json").read_text())
    del facts["lineage"]
    (adapted / "hubtl.json").write_text(json.dumps(facts))
    assert read_facts(adapted).lineage == ()
    assert hubtl.publish(adapted, "acme/old", hub=shelf.name).verified
    assert hubtl.predict("acme/old", ["fine"], hub=shelf.name)
