"""An organisation's adapters: together by domain, side by side where they compare, with kin."""

from __future__ import annotations

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import hubtl
from hubtl.collecting import collect
from hubtl.registry.card import front_matter, render
from hubtl.registry.comparing import Results, best, comparable, read_results
from hubtl.registry.entry import Entry
from hubtl.registry.facts import read_facts
from hubtl.registry.fingerprint import files_in
from hubtl.server.accounts import add_token, parse_scope
from hubtl.sources import open_hub

from .serving import TOKENS, running_hub

TASK, BASE, NAME = "text-classification", "acme/tiny-encoder", "acme/moods"
MIT = {"licence": "mit"}


@pytest.fixture
def server(tiny_folders, tmp_path, monkeypatch):
    """A team hub that holds the tiny encoder, and the token of one who may write."""
    with running_hub(tmp_path) as running:
        running.api("ana").create_repo(BASE)
        running.api("ana").upload_folder(repo_id=BASE, folder_path=tiny_folders[BASE])
        monkeypatch.setenv("HF_TOKEN", TOKENS["ana"])
        yield running


@pytest.fixture
def facts(adapted):
    """What was measured of an adapter that was made from the tiny encoder on the shelf."""
    return read_facts(adapted)


def result(value, low, high):
    return {"accuracy": {"value": value, "low": low, "high": high}}


def folder_of(facts, name, rows="a", upon=None, **changed):
    """Return a folder as publishing would send it: weights apart, all that tells of an adapter."""
    if upon:
        above = {"id": facts.base, "revision": facts.base_revision, **MIT}
        changed["lineage"] = ({"id": upon, "revision": "1" * 40, **MIT}, above)
    data = {**facts.data, "test_fingerprint": rows * 64}
    facts = dataclasses.replace(facts, address=name, data=data, **changed)
    folder = Path("sent", name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    facts.write(folder)
    for path, text in {
        "README.md": render(facts, "pass", name=name.partition("/")[2]),
        "adapter_config.json": "{}",
        "adapter_model.safetensors": "weights",
    }.items():
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def team(shelf, facts):
    """Adapters of acme on the shelf: two that compare, one upon the first, one of other rows."""
    for name, value, more in (
        ("acme/clauses", result(0.9, 0.85, 0.94), {"domain": "legal"}),
        ("acme/clauses-lora", result(0.925, 0.88, 0.97), {"domain": "legal"}),
        ("acme/contracts", result(0.95, 0.9, 0.99), {"domain": "legal", "rows": "b"}),
        ("acme/clauses-2", result(0.91, 0.86, 0.95), {"domain": "legal", "upon": "acme/clauses"}),
        ("acme/news", result(0.7, 0.6, 0.8), {"domain": "news"}),
    ):
        shelf.cache.add(name, files_in(folder_of(facts, name, metrics=value, **more)))
    return shelf


def send(server, facts, name, **more):
    """Put an adapter on the server, past the gate and the proof."""
    server.api("ana").create_repo(name, private=more.pop("private", False), exist_ok=True)
    server.api("ana").upload_folder(repo_id=name, folder_path=folder_of(facts, name, **more))


def collections(server, user="ana"):
    """Return the title of each collection of acme that a user sees, and what is in it."""
    api = server.api(user)
    found = [api.get_collection(each.slug) for each in api.list_collections(owner="acme")]
    return {each.title: [item.item_id for item in each.items] for each in found}


# --- a collection per domain


@pytest.mark.long
def test_what_is_published_is_put_into_the_collection_of_its_domain(server, moods, capsys):
    made = hubtl.adapt(TASK, moods, base=BASE, hub=server.url, domain="legal", out=Path("made"))
    hubtl.publish(made.folder, NAME, hub=server.url)
    assert collections(server) == {"legal adapters": [NAME]}
    assert collections(server, "bob") == {}  # private, as the repository is
    assert "warning" not in capsys.readouterr().err
    (past,) = hubtl.past(TASK, domain="legal")  # the folder and what was published are one work
    assert (past.folder, past.address) == (str(made.folder.absolute()), f"{server.url}/{NAME}")


def test_a_new_domain_moves_it_and_leaves_what_people_collected(server, facts):
    hub, api = open_hub(server.url), server.api("ana")
    send(server, facts, NAME, domain="legal")
    best_of = api.create_collection("The best", namespace="acme").slug
    api.add_collection_item(best_of, NAME, "model")
    for _ in range(2):
        hub.collect(NAME)
    assert collections(server) == {"legal adapters": [NAME], "The best": [NAME]}
    assert set(collections(server, "bob")) == {"legal adapters", "The best"}  # public, as it is

    send(server, facts, NAME, domain="finance")
    hub.collect(NAME)
    assert collections(server) == {
        "finance adapters": [NAME],
        "legal adapters": [],
        "The best": [NAME],
    }
    send(server, facts, NAME, domain=None)
    hub.collect(NAME)
    assert collections(server)["finance adapters"] == []


def test_many_at_once_share_one_collection(server, facts):
    names = [f"acme/moods-{number}" for number in range(4)]
    for name in names:
        send(server, facts, name, domain="legal")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_hub(server.url).collect, names))
    (listed,) = collections(server).values()
    assert sorted(listed) == names


def test_who_may_not_collect_has_published_and_is_told_why(server, facts, capsys, monkeypatch):
    send(server, facts, NAME, domain="legal")
    scope = {"scopes": [parse_scope(f"{NAME}:read+write")], "role": "fineGrained"}
    with server.hub.database.writing() as db:
        monkeypatch.setenv("HF_TOKEN", add_token(db, server.hub.secret, "ana", name="ci", **scope))
    collect(open_hub(server.url), NAME)
    assert capsys.readouterr().err == (
        "warning: `acme/moods` is published, and could not be put into the collection of its "
        f"domain: you may not write to `acme` on {server.url}\n"
    )


def test_a_server_that_fails_to_collect_is_told_too(capsys):
    collect(open_hub("http://127.0.0.1:9"), NAME)
    assert "of its domain: http://127.0.0.1:9 can't be reached\n" in capsys.readouterr().err


def test_a_shared_drive_has_no_collections(shelf, capsys):
    collect(shelf, BASE)
    assert capsys.readouterr() == ("", "")


# --- results that compare


def test_a_teams_adapters_stand_side_by_side(team, hubtl_cli):
    said = hubtl_cli(f"search --org acme --domain legal --task {TASK} --hub {team.name}")
    told = [line.rstrip() for line in said.out.splitlines()]
    assert [line.partition("  mit")[0].rstrip() for line in told[1:5]] == [
        "acme/clauses       0.900 (0.850 to 0.940)  A        legal  acme/tiny-encoder",
        "acme/clauses-2     0.910 (0.860 to 0.950)  A        legal  acme/clauses",
        "acme/clauses-lora  0.925 (0.880 to 0.970)  A, best  legal  acme/tiny-encoder",
        "acme/contracts     0.950 (0.900 to 0.990)  –        legal  acme/tiny-encoder",
    ]
    titles = "MODEL              ACCURACY                TEST     FOR    MADE FROM          LICENCE"
    assert told[0].startswith(titles)
    assert told[5:] == [
        "",
        "A: the same 20 test rows, so these results compare",
        "best: whether by more than chance, `hubtl evaluate MODEL DATA --against OTHER` says",
        "–: test rows that no other here has, so its result compares with none",
    ]


def test_the_same_as_json(team, hubtl_cli):
    said = hubtl_cli(f"search --org acme --domain legal --hub {team.name} --json").json
    assert said["comparable"] == [["acme/clauses", "acme/clauses-2", "acme/clauses-lora"]]
    assert [(each["tested_on"], each["test_rows"], each["upon"]) for each in said["entries"]] == [
        ("a" * 12, 20, None),
        ("a" * 12, 20, "acme/clauses"),
        ("a" * 12, 20, None),
        ("b" * 12, 20, None),
    ]
    assert said["entries"][0]["intervals"] == {"accuracy": [0.85, 0.94]}


def test_a_server_tells_the_same_in_its_list_alone(server, facts):
    for name, value in (("acme/one", 0.9), ("acme/two", 0.8)):
        send(server, facts, name, domain="legal", metrics=result(value, 0.7, 0.95))
    found = hubtl.search(hub=server.url, organisation="acme", domain="legal", task=TASK)
    assert [set(alike) for alike in found.comparable] == [{"acme/one", "acme/two"}]
    assert [each.id for each in best(found.entries)] == ["acme/one"]
    assert found.entries[0].intervals == {"accuracy": (0.7, 0.95)}


def test_a_whole_model_is_found_on_a_server_by_its_base(server, facts):
    whole = {"adapter_config.json": None}
    send(
        server, facts, "acme/whole", files={p: d for p, d in facts.files.items() if p not in whole}
    )
    send(server, facts, "acme/part")
    found = hubtl.search(hub=server.url, kind="adapter", base=BASE).entries
    assert sorted(each.id for each in found) == ["acme/part", "acme/whole"]


def scored(name, metric="accuracy", value=0.5, **more):
    return Entry(name, "hf", "adapter", (TASK,), metrics={metric: value}, **more)


def test_what_compares_has_task_metric_and_rows_in_common():
    one, two = scored("a/1", tested_on="ab"), scored("a/2", tested_on="ab", value=0.6)
    others = [
        scored("a/3", "f1", tested_on="ab"),
        dataclasses.replace(one, id="a/4", tasks=("token-classification",)),
        scored("a/5", tested_on="cd"),
        scored("a/6"),
    ]
    assert comparable([one, *others, two]) == [[one, two]]
    assert best([one, two]) == [two]


def test_perplexities_compare_where_the_base_and_so_its_tokens_are_the_same():
    one, two, other = (
        scored(f"a/{number}", "perplexity", 9.0, tested_on="ab", base=base)
        for number, base in enumerate(("b/small", "b/small", "b/large"))
    )
    assert comparable([one, other, two]) == [[one, two]]


def test_of_an_error_rate_the_lowest_is_best():
    one, two = scored("a/1", "wer", 0.2), scored("a/2", "wer", 0.3)
    assert best([two, one]) == [one]


def test_the_main_metric_comes_first_in_what_a_card_tells(facts):
    heard = dataclasses.replace(
        facts, metrics={"cer": {"value": 0.1, "low": 0.0, "high": 0.2}, **facts.metrics}
    )
    told = read_results(front_matter(heard, "moods")["model-index"])
    assert list(told.metrics) == ["accuracy", "cer", "macro_f1"]
    assert told.intervals["cer"] == (0.0, 0.2)
    assert (told.test_rows, told.tested_on) == (20, facts.data["test_fingerprint"][:12])


@pytest.mark.parametrize(
    "index",
    [
        None,
        [],
        {},
        [{"results": []}],
        [{"results": [{"metrics": [{"type": "f1", "value": "high"}]}]}],
        [{"results": [{"metrics": [{"type": "f1", "value": float("nan")}]}]}],
        [{"results": [{"metrics": [3], "dataset": "x"}]}],
    ],
)
def test_a_strangers_results_that_are_none_are_none(index):
    assert read_results(index) == Results()


def test_a_strangers_results_have_no_rows_that_compare():
    index = [{"results": [{"metrics": [{"type": "f1", "value": 1}], "dataset": {"name": "GLUE"}}]}]
    assert read_results(index) == Results({"f1": 1.0})


def test_what_is_published_has_the_tags_that_a_team_searches_by(facts):
    digits = facts.data["test_fingerprint"][:12]
    metrics = [
        {
            "type": name,
            "value": round(value["value"], 4),
            "name": {"accuracy": "Accuracy", "macro_f1": "Macro F1"}[name],
            "args": {
                "confidence_level": 0.95,
                "low": round(value["low"], 4),
                "high": round(value["high"], 4),
            },
        }
        for name, value in facts.metrics.items()
    ]
    assert front_matter(facts, "moods") == {
        "language": ["en"],
        "license": "mit",
        "library_name": "peft",
        "pipeline_tag": "text-classification",
        "base_model": "acme/tiny-encoder",
        "base_model_relation": "adapter",
        "metrics": ["accuracy", "f1"],
        "tags": [
            "hubtl",
            "transformers",
            "base_model:adapter:acme/tiny-encoder",
            "domain:general",
        ],
        "model-index": [
            {
                "name": "moods",
                "results": [
                    {
                        "task": {"type": "text-classification"},
                        "dataset": {
                            "type": "private",
                            "name": f"20 held-out rows, {digits}",
                            "split": "test",
                        },
                        "metrics": metrics,
                    }
                ],
            }
        ],
    }


# --- kin


def lines_of(said, first, count):
    lines = [line.rstrip() for line in said.out.splitlines()]
    start = next(number for number, line in enumerate(lines) if line.startswith(first))
    return lines[start : start + count]


def test_show_draws_what_a_model_was_made_from_and_what_was_made_from_it(team, hubtl_cli):
    base, at = (team.cache.resolve(each)[:7] for each in (BASE, "acme/clauses"))
    assert lines_of(hubtl_cli(f"show acme/clauses --hub {team.name}"), "LINEAGE", 7) == [
        "LINEAGE                       RESULT                           TEST",
        f"acme/tiny-encoder at {base}",
        f"└─ acme/clauses at {at}    accuracy 0.900 (0.850 to 0.940)  A",
        "   └─ acme/clauses-2          accuracy 0.910 (0.860 to 0.950)  A, best",
        "",
        "A: the same 20 test rows, so these results compare",
        "best: whether by more than chance, `hubtl evaluate MODEL DATA --against OTHER` says",
    ]
    assert lines_of(hubtl_cli(f"show {BASE} --hub {team.name}"), "LINEAGE", 7)[1:] == [
        f"acme/tiny-encoder at {base}",
        "├─ acme/clauses               accuracy 0.900 (0.850 to 0.940)  A",
        "│  └─ acme/clauses-2          accuracy 0.910 (0.860 to 0.950)  A",
        "├─ acme/clauses-lora          accuracy 0.925 (0.880 to 0.970)  A, best",
        "├─ acme/contracts             accuracy 0.950 (0.900 to 0.990)  –",
        "└─ acme/news                  accuracy 0.700 (0.600 to 0.800)  A",
    ]


def test_a_base_that_moved_on_is_noticed(team, hubtl_cli, facts, tiny_folders):
    was = team.cache.resolve(BASE)
    before = hubtl.family(hubtl.show("acme/clauses-2", hub=team.name))
    assert before.base_moved_on is False
    newer = shutil.copytree(tiny_folders[BASE], Path("newer"))
    (newer / "README.md").write_text("newer")
    now = team.cache.add(BASE, files_in(newer))

    said = hubtl_cli(f"show acme/clauses-2 --hub {team.name}")
    told = f"adapted from an older revision: acme/tiny-encoder is at {now[:7]} now\n"
    assert told in said.out
    read = hubtl_cli(f"show acme/clauses-2 --hub {team.name} --json").json
    assert (read["base_moved_on"], read["base_revision"], read["base_now"]) == (True, was, now)
    assert [each["id"] for each in read["lineage"]] == ["acme/clauses", BASE]
    assert read["children"] == []


def test_a_base_that_is_not_there_is_not_said_to_have_moved(team, hubtl_cli):
    shutil.rmtree(team.cache.folder(BASE))
    said = hubtl_cli(f"show acme/news --hub {team.name}")
    assert "older revision" not in said.out
    assert said.err.startswith("whether its base has moved on is not known: `acme/tiny-encoder` is")
    assert hubtl_cli(f"show acme/news --hub {team.name} --json").json["base_moved_on"] is None


def test_a_server_knows_kin_versions_and_whether_the_base_moved_on(server, facts, tiny_folders):
    api = server.api("ana")
    at = api.model_info(BASE).sha
    first = {"base_revision": at}
    for tag, value in (("v2", 0.8), ("v10", 0.9)):
        send(server, facts, NAME, metrics=result(value, 0.7, 0.95), **first)
        api.create_tag(NAME, tag=tag)
    own = dataclasses.replace(facts, base_revision=at)
    send(server, own, "acme/moods-2", upon=NAME)

    family = hubtl.family(hubtl.show(NAME, hub=server.url))
    assert family.lineage == ({"id": BASE, "revision": at, "licence": "mit"},)
    assert [child.id for child in family.children] == ["acme/moods-2"]
    assert family.base_moved_on is False
    assert [(tag, each.metrics["accuracy"]) for tag, each in family.versions.items()] == [
        ("v10", 0.9),
        ("v2", 0.8),
    ]
    api.upload_file(path_or_fileobj=b"newer", path_in_repo="NEWS.md", repo_id=BASE)
    assert hubtl.family(hubtl.show(NAME, hub=server.url)).base_moved_on is True


def test_a_strangers_adapter_has_the_lineage_that_its_card_tells(shelf):
    folder = Path("stranger")
    folder.mkdir()
    (folder / "README.md").write_text(f"---\nbase_model: {BASE}\n---\n")
    (folder / "adapter_config.json").write_text("{}")
    shelf.cache.add("acme/strange", files_in(folder))
    family = hubtl.family(hubtl.show("acme/strange", hub=shelf.name))
    assert family.lineage == ({"id": BASE, "revision": None, "licence": None},)
    assert (family.base_moved_on, family.results) == (None, {})


def test_facts_that_are_damaged_are_told_and_hide_nothing_else(team, hubtl_cli):
    folder = shutil.copytree(team.cache.snapshot("acme/news"), Path("damaged"))
    (folder / "hubtl.json").write_text("{}")
    team.cache.add("acme/news", files_in(folder))
    said = hubtl_cli(f"show acme/news --hub {team.name}")
    assert said.code == 0 and "└─ acme/news at" in said.out
    assert "what `acme/news` tells of itself is not known:" in said.err


def test_those_who_say_they_were_made_from_each_other_are_both_shown(shelf, facts, hubtl_cli):
    for name, upon in (("acme/egg", "acme/hen"), ("acme/hen", "acme/egg")):
        shelf.cache.add(name, files_in(folder_of(facts, name, upon=upon)))
    said = hubtl_cli(f"show {BASE} --hub {shelf.name}")
    assert [line.split()[1] for line in lines_of(said, "├─", 2)] == ["acme/egg", "acme/hen"]
