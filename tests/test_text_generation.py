"""Text generation: what it learns is measured by perplexity, and the card says it without hubtl."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

import hubtl
from hubtl.plugins.hubs.folder import Folder
from hubtl.plugins.text.completions import in_tokens
from hubtl.plugins.text.language_model import open_tokenizer
from hubtl.plugins.text.ngrams import Bigrams
from hubtl.predictions import read_predictions
from hubtl.proof import WRITTEN
from hubtl.registry.cache import ModelCache
from hubtl.registry.fingerprint import files_in
from hubtl.transfer.agreement import compare
from hubtl.transfer.completion import Completion
from hubtl.transfer.goal import ONE_CLASS, other_kind
from hubtl.transfer.measure import values
from hubtl.transfer.quiet import quiet_libraries

from .conftest import FILLER, WORDS
from .tiny_texts import write

LLAMA = "acme/tiny-llama"
QUICK = {"rate": "0.02", "epochs": "12", "max_new_tokens": "8"}
LORA = {"rank": "16", "layers": "all"}
CARD = "---\nlicense: mit\nlanguage: en\npipeline_tag: text-generation\n---\n# tiny\n"
TEMPLATE = (
    "{% for turn in messages %}{{ turn['role'] }}: {{ turn['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


@pytest.fixture(scope="module")
def tiny_llama(tmp_path_factory):
    """A Llama of three layers with random weights, which has a template of chats."""
    folder = tmp_path_factory.mktemp("writers") / "tiny-llama"
    with quiet_libraries():
        write("Llama", folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    (folder / "README.md").write_text(CARD)
    return folder


@pytest.fixture
def llama_shelf(tmp_path, tiny_llama):
    """A folder hub that holds it."""
    cache = ModelCache(tmp_path / "llamas")
    cache.add(LLAMA, files_in(tiny_llama))
    return Folder(cache.root)


def pairs(count=80):
    """Return prompts and what comes after them: a mood's words after a word of that mood."""
    for number in range(count):
        words = WORDS[sorted(WORDS)[number % 2]]
        prompt = f"{FILLER[number % 13]} {FILLER[number * 5 % 13]} {words[number * 3 % 8]}"
        yield f"{prompt} {number}", " ".join(words[:3])


@pytest.fixture
def moods():
    """A jsonl of 80 rows, a prompt and a completion each, of which 20 are to test."""
    path = Path("moods.jsonl")
    with path.open("w") as file:
        for number, (prompt, completion) in enumerate(pairs()):
            row = {"prompt": prompt, "completion": completion}
            file.write(json.dumps({**row, "split": "test" if number % 4 == 3 else "train"}) + "\n")
    return path


def adapted(data, shelf, recipe="lora", out="adapted", **options):
    return hubtl.adapt(
        "text-generation",
        data,
        base=LLAMA,
        recipe=recipe,
        hub=getattr(shelf, "url", None) or shelf.name,
        domain="general",
        options={**QUICK, **(LORA if recipe in ("", "lora") else {}), **options},
        out=Path(out),
    ).folder


@pytest.fixture(scope="module")
def once():
    """What is kept of the one adapter that all tests of this file share."""
    return []


@pytest.fixture
def folder(once, llama_shelf, moods, tmp_path_factory):
    """A copy of it."""
    if not once:
        out = tmp_path_factory.mktemp("made") / "moods"
        once.append(adapted(moods, llama_shelf, recipe="", out=out))
    return shutil.copytree(once[0], Path("adapted", "moods"))


def said_by(call) -> str:
    with pytest.raises(hubtl.HubtlError) as caught:
        call()
    return f"{caught.value.message} | {caught.value.hint}"


def test_a_model_learns_completions_and_tells_it_by_perplexity(folder):
    facts = json.loads((folder / "hubtl.json").read_text())
    found, before = facts["metrics"]["perplexity"], facts["baselines"]["base"]["perplexity"]
    assert facts["main_metric"] == "perplexity"
    assert found["low"] < found["value"] < found["high"] < before / 10
    assert math.exp(facts["metrics"]["loss"]["value"]) == pytest.approx(found["value"])
    assert facts["loads"] == {"`AutoPeftModelForCausalLM.from_pretrained(adapter)`": "works"}
    assert facts["retention"]["rows"] == 200
    assert 0 < facts["retention"]["score"] <= 1


@pytest.mark.long
def test_without_a_recipe_it_is_lora_and_the_card_and_the_plan_say_why(
    folder, llama_shelf, moods, hubtl_cli
):
    why = (
        "No recipe was named, and `text-generation` prefers `lora`: a head on frozen features "
        "tells classes apart, and writes no text."
    )
    assert f"The base `{LLAMA}` was asked for. {why}" in (folder / "README.md").read_text()
    words = f"--base {LLAMA} --hub {llama_shelf.name} --set max_new_tokens=8 --dry-run"
    said = hubtl_cli(f"adapt text-generation {moods} {words}")
    assert f"\nbecause  {why}\n" in said.out
    assert hubtl.plan("text-generation", moods, base=LLAMA, hub=llama_shelf.name).recipe == "lora"


def test_a_few_rows_are_written_and_each_is_judged(folder):
    said, goal = read_predictions(folder), Completion()
    assert sum(bool(goal.shown(each)) for each in said.predicted) == WRITTEN
    assert [tokens for _, tokens in said.logits] == [4.0] * 20  # three words, and their end
    assert [goal.wrong("", label, (), ()) for label in said.predicted] == pytest.approx(
        [-mean for mean, _ in said.logits]
    )


@pytest.mark.long
def test_what_is_published_says_the_same_and_goes_on_saying_it(folder, llama_shelf, moods):
    done = hubtl.publish(folder, "acme/moods", hub=llama_shelf.name)
    assert done.metric["reproduced"] == pytest.approx(done.metric["measured"])
    assert hubtl.verify("acme/moods", data=moods, hub=llama_shelf.name).metric["same_rows"]


def test_what_changed_is_not_published(folder, llama_shelf):
    path = folder / "predictions.parquet"
    said = parquet.read_table(path).to_pydict()
    said["label"][0] = "1.0 nats in 4 tokens"
    parquet.write_table(pyarrow.table(said), path)
    assert said_by(lambda: hubtl.publish(folder, "acme/moods", hub=llama_shelf.name)).startswith(
        "hubtl.json tells perplexity "
    )


@pytest.mark.long
def test_it_is_evaluated_and_writes_on(folder, llama_shelf, moods):
    found = hubtl.evaluate(folder, moods, against=folder, hub=llama_shelf.name)
    facts = json.loads((folder / "hubtl.json").read_text())
    assert found.metrics["perplexity"] == pytest.approx(facts["metrics"]["perplexity"])
    assert found.against["difference"]["value"] == 0
    assert found.judgement["worst"][0]["by"] == "nats a token"
    (said,) = hubtl.predict(folder, ["the room was great"], hub=llama_shelf.name)
    assert said.label
    assert 0 < said.score <= 1
    assert said.scores == {}


def test_what_cannot_be_learnt_is_refused_before_work(llama_shelf, moods):
    asked = {"base": LLAMA, "hub": llama_shelf.name}
    assert said_by(lambda: hubtl.adapt("text-generation", moods, recipe="probe", **asked)) == (
        "`probe` makes a head that tells classes apart, and `text-generation` has none | "
        "--recipe lora"
    )
    Path("open.jsonl").write_text('{"messages": [{"role": "user", "content": "the room"}]}\n' * 9)
    assert said_by(lambda: adapted(Path("open.jsonl"), llama_shelf)) == (
        "`open.jsonl`: 9 rows have a label that is none (the last turn of a chat must be the "
        'assistant\'s) (such as `[{"role": "user", "content": "the room"}`; lines 1, 2, 3, 4, 5…) '
        "| fill in or remove them, then run it again"
    )
    assert said_by(lambda: hubtl.rank("text-generation", moods)) == (
        "`text-generation` has no classes to tell apart, and bases are ranked by those | try them: "
        "hubtl adapt text-generation moods.jsonl --base ID, from "
        "`hubtl search --task text-generation`"
    )


def test_bigrams_are_probabilities():
    bigrams = Bigrams([(1, 2, 3), (1, 2, 2), (3, 1)], 6)
    for first in (1, 2, 3, 5):
        after = [bigrams.nats((first, second)) - bigrams.nats((first,)) for second in range(6)]
        assert sum(math.exp(-each) for each in after) == pytest.approx(1.0)
    assert bigrams.nats((1, 2)) < bigrams.nats((1, 3)) < bigrams.nats((1, 5))


def test_perplexity_is_over_tokens_and_not_over_rows():
    goal = Completion()
    said = [goal.said(["", 6.0, 2]), goal.said(["a text", 1.0, 8])]
    found = values(["x", "y"], said, goal.metrics)
    assert found == {"perplexity": pytest.approx(math.exp(0.7)), "loss": pytest.approx(0.7)}
    assert [goal.shown(each) for each in said] == ["", "a text"]


def test_costs_compare_where_tokens_are_as_many():
    goal = Completion()
    ours = [goal.said(["", 6.0, 2]), goal.said(["", 1.0, 8])]
    assert goal.unlike(ours, [goal.said(["", 3.0, 2]), goal.said(["a text", 2.0, 8])]) == ""
    assert goal.unlike(ours, [goal.said(["", 6.0, 2]), goal.said(["", 1.0, 9])]) == (
        "their tokens differ"
    )
    assert other_kind(goal, Completion()) == ""
    assert other_kind(goal, ONE_CLASS) == "its labels are of another kind"


def test_a_copy_may_be_off_by_a_share_of_the_mean_and_not_of_how_many_tokens_there_are():
    goal = Completion()
    said = [goal.said(["", 600.0, 300])]
    near, far = (
        compare(said, [[-2.0, 300]], said, [[-2.0 - gap, 300]], goal, share=0.01)
        for gap in (0.01, 0.1)
    )
    assert (near.far_logits, far.far_logits) == (0, 1)


def test_spaces_round_a_text_alone_do_not_make_it_a_prompt(tiny_llama):
    tokenizer = open_tokenizer(tiny_llama)
    plain, ended = (
        in_tokens(tokenizer, text, "the room", 9, True) for text in ("the room", " the room\n")
    )
    assert plain == ended
    assert len(plain[0]) == 1  # what any text begins with


def test_a_completion_that_says_what_its_prompt_does_keeps_its_prompt(tiny_llama):
    tokenizer, goal = open_tokenizer(tiny_llama), Completion()
    alone, pair, other = (
        in_tokens(tokenizer, *goal.row("the room", label, one=one), 9, True)
        for label, one in (("the room", True), ("the room", False), ("a room", False))
    )
    assert len(alone[0]) == 1  # what any text begins with
    assert pair[0] == other[0] and len(pair[0]) == 3
    assert goal.shown(goal.row("the room", "the room")[1]) == "the room"


def test_chats_of_other_forms_are_told_and_answers_may_be_any_json():
    goal = Completion()
    chat = '\n[\n {"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]'
    assert goal.row(chat, chat, one=True) == (chat, "y")
    for other in (
        '[{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}]',
        '[{"role": "user", "content": "x"}, {"role": "assistant", "content": null}]',
        '[{"role": "assistant", "content": [{"type": "text", "text": "y"}]}]',
        '[{"from": "gpt", "value": "y", "weight": 1}]',
    ):
        for cells, one in (((other, other), True), ((other, "y"), False), (("x", other), False)):
            with pytest.raises(ValueError, match="a chat is a list of turns, each with a role and"):
                goal.row(*cells, one=one)
    assert goal.row("the rooms", '[{"room": 1}]') == ("the rooms", '[{"room": 1}]')


def test_more_tokens_than_a_base_reads_are_refused_before_work(llama_shelf, moods):
    told = said_by(lambda: adapted(moods, llama_shelf, max_new_tokens="64"))
    assert told == (
        "`max_new_tokens` is 64, and of this base a prompt and what is written after it have at "
        "most 64 tokens | --set max_new_tokens=N, from 1 to 63"
    )
