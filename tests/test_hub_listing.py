"""Finding what a team hub has: filters, search, order, pages, and what is said of each model."""

from __future__ import annotations

import contextlib
import json
from typing import get_args

import pytest
import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml, hf_api
from safetensors.numpy import save

from hubtl.server.access import NOBODY
from hubtl.server.accounts import add_account, the_account
from hubtl.server.describing import EXPANDABLE
from hubtl.server.finding import Wanted, find_repos
from hubtl.server.hub import open_hub
from hubtl.server.repos import create_repo
from hubtl.server.routes import identity, likes

from . import serving, stores
from .serving import TeamHubServer

team_hub = serving.team_hub
store = stores.store

CARD = """---
license: {licence}
language: en
pipeline_tag: {task}
tags: [domain:{domain}, hubtl]
datasets: [acme/rows]
---
# A model
"""


def weights(rows: int, columns: int) -> bytes:
    """Return a safetensors file with one matrix."""
    import numpy

    return bytes(save({"head": numpy.zeros((rows, columns), dtype="float32")}))


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub with a base, two adapters of it, one of them private, and a data set."""
    with TeamHubServer(tmp_path_factory.mktemp("listing")) as server:
        ana, zoe = server.api("ana"), server.api("zoe")
        made = (
            (ana, "acme/base", "apache-2.0", "fill-mask", "general", None, False),
            (ana, "acme/legal-topics", "mit", "text-classification", "legal", "acme/base", False),
            (zoe, "zoo/moods", "mit", "text-classification", "general", "ACME/Base", True),
        )
        for api, name, licence, task, domain, base, private in made:
            api.create_repo(name, private=private)
            card = CARD.format(licence=licence, task=task, domain=domain).encode()
            files = {"README.md": card, "model.safetensors": weights(3, 5)}
            if base:
                config = {"base_model_name_or_path": base, "peft_type": "LORA"}
                files["adapter_config.json"] = json.dumps(config).encode()
            else:
                files["config.json"] = b'{"architectures": ["BertModel"], "model_type": "bert"}'
            for path, content in files.items():
                api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=name)
        ana.create_repo("acme/rows", repo_type="dataset")
        yield server


def ids(hub, user="ana", **asked):
    return [each.id for each in hub.api(user).list_models(**asked)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["acme/legal-topics", "acme/base"]),
        ({"author": "ACME"}, ["acme/legal-topics", "acme/base"]),
        ({"author": "zoo"}, []),
        ({"search": "LEGAL"}, ["acme/legal-topics"]),
        ({"search": "topics legal"}, ["acme/legal-topics"]),
        ({"search": "%"}, []),
        ({"search": "model"}, []),
        ({"search": "acme/base"}, ["acme/base"]),
        ({"filter": "license:apache-2.0"}, ["acme/base"]),
        ({"filter": ["text-classification", "domain:legal"]}, ["acme/legal-topics"]),
        ({"filter": "base_model:acme/base"}, ["acme/legal-topics"]),
        ({"filter": "base_model:adapter:acme/base"}, ["acme/legal-topics"]),
        ({"filter": "peft"}, ["acme/legal-topics"]),
        ({"filter": "bert"}, ["acme/base"]),
        ({"trained_dataset": "acme/rows"}, ["acme/legal-topics", "acme/base"]),
        ({"pipeline_tag": "fill-mask"}, ["acme/base"]),
        ({"gated": True}, []),
        ({"num_parameters": "min:10,max:1K"}, ["acme/legal-topics", "acme/base"]),
        ({"num_parameters": "min:1M"}, []),
        ({"inference": "warm"}, []),
    ],
)  # fmt: skip
def test_a_filter_leaves_what_fits(asked, found, hub):
    assert ids(hub, **asked) == found


@pytest.mark.parametrize("query", ["search=" + "a+" * 5000, "num_parameters=" + "min:1," * 5000])
def test_a_question_of_any_length_has_an_answer(query, hub):
    assert hub.ask("GET", f"/api/models?{query}").status_code in (200, 400)


def test_what_is_private_is_listed_for_its_own_alone(hub):
    assert ids(hub, "zoe", author="zoo") == ["zoo/moods"]
    assert ids(hub, "bob", author="zoo") == ids(hub, None, author="zoo") == []


def test_pages_follow_each_other_until_the_end_and_miss_nothing(hub):
    for sort in ("createdAt", "lastModified", "downloads", "likes", "trendingScore"):
        whole = hub.ask("GET", f"/api/models?sort={sort}", "zoe").json()
        found, page = [], f"{hub.url}/api/models?sort={sort}&limit=1"
        while page:
            answer = hub.ask("GET", page, "zoe")
            found += answer.json()
            page = answer.links.get("next", {}).get("url", "")
            assert page == "" or page.startswith(hub.url)  # clients need a whole address
        assert len(found) == 3 and found == whole


def test_expand_gives_what_was_asked_and_nothing_else(hub):
    expand = ["baseModels", "childrenModelCount", "safetensors", "downloadsAllTime"]
    (base,) = hub.api("ana").list_models(filter="bert", expand=expand)
    assert base.children_model_count == 1  # the private one is not there for ana
    assert (base.base_models, base.safetensors.total) == ([], 15)
    assert (base.tags, base.siblings) == (None, None)
    (adapter,) = hub.api("ana").list_models(filter="peft", expand=expand)
    assert adapter.base_models == ["acme/base"]


@pytest.mark.parametrize(
    "query",
    ["expand=foo", "sort=age", "limit=x", "gated=perhaps", "num_parameters=6B", "cursor=*"]
    + ["cursor=WzFdCg==", "cursor=WyJ4IiwgMV0="],
)
def test_a_question_that_makes_no_sense_is_told_so(query, hub):
    assert hub.ask("GET", f"/api/models?{query}").status_code == 400


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", "---\nself: 1\nignore_metadata_errors: 1\n---\n"),
        ("README.md", "---\nlanguage: no\nlicense: mit\ntags: [on, 2]\nmodel-index: [1]\n---\n"),
        (".eval_results/a.yaml", "- 5\n- {dataset: 5, value: 1}\n- {value: 1}\n"),
        (".eval_results/a.yaml", "- dataset: {id: a/b, task_id: c}\n  value: .inf\n  source: x\n"),
        (".eval_results/a.yaml", "- &a [x, x]\n- [*a, *a]\n"),
        (".eval_results/a.yaml", "!!bool maybe"),
        (".eval_results/a.yaml", "[" * 5000),
    ],
)
def test_nothing_that_a_file_says_stops_the_clients_that_list_it(path, text, team_hub):
    api = team_hub.api("ana")
    api.create_repo("acme/odd")
    api.upload_file(path_or_fileobj=text.encode(), path_in_repo=path, repo_id="acme/odd")
    (listed,) = api.list_models(expand=["cardData", "evalResults", "model-index", "tags"])
    assert (listed.id, listed.eval_results) in (("acme/odd", None), ("acme/odd", []))
    assert api.model_info("acme/odd").id == "acme/odd"


@pytest.mark.parametrize("value", ["!!bool maybe", "!!int ''", "!!timestamp x", "{" * 99, "*a"])
def test_a_card_that_is_no_yaml_is_told_so(value, team_hub):
    body = {"content": f"---\na: {value}\n---\n"}
    said = team_hub.ask("POST", "/api/validate-yaml", json=body)
    assert said.status_code == 400 and said.json()["errors"]


def test_results_that_are_well_formed_are_listed(team_hub):
    api = team_hub.api("ana")
    api.create_repo("acme/odd")
    made = EvalResultEntry(dataset_id="acme/rows", task_id="all", value=0.5, date="2026-01-02")
    text = yaml.dump([*eval_result_entries_to_yaml([made]), 5]).encode()
    api.upload_file(path_or_fileobj=text, path_in_repo=".eval_results/a.yaml", repo_id="acme/odd")
    assert api.model_info("acme/odd", expand=["evalResults"]).eval_results == [made]


def test_what_is_known_of_a_model_comes_from_its_files(hub):
    info = hub.api("ana").model_info("acme/legal-topics", files_metadata=True)
    assert info.safetensors.parameters == {"F32": 15}
    assert (info.pipeline_tag, info.library_name) == ("text-classification", "peft")
    assert info.config == {"peft": {"base_model_name_or_path": "acme/base", "peft_type": "LORA"}}
    assert info.tags == [
        "peft",
        "text-classification",
        "safetensors",
        "en",
        "dataset:acme/rows",
        "license:mit",
        "base_model:acme/base",
        "base_model:adapter:acme/base",
        "domain:legal",
        "hubtl",
    ]
    sizes = {each.rfilename: each.size for each in info.siblings}
    assert sizes["adapter_config.json"] == 61 and info.used_storage >= sum(sizes.values())
    (held,) = [each.lfs for each in info.siblings if each.rfilename == "model.safetensors"]
    assert (held.size, held.pointer_size) == (sizes["model.safetensors"], 128)


def test_what_an_older_revision_told_is_still_told_of_it(hub):
    api = hub.api("ana")
    first = api.list_repo_commits("acme/base")[-1].commit_id
    old = api.model_info("acme/base", revision=first)
    assert (old.sha, old.tags, old.safetensors) == (first, [], None)
    assert [each.rfilename for each in old.siblings] == [".gitattributes"]


def test_data_sets_are_listed_by_themselves_with_what_the_hub_says_of_them(hub):
    (rows,) = hub.api("ana").list_datasets()
    (whole,) = hub.api("ana").list_datasets(full=True)
    assert (rows.id, rows.author, rows.sha) == ("acme/rows", "acme", whole.sha)
    assert (rows.siblings, rows.card_data) == (None, None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["acme/app", "acme/page"]),
        ({"filter": "gradio"}, ["acme/app"]),
        ({"models": "acme/base"}, ["acme/app"]),
        ({"models": "acme/none"}, []),
        ({"datasets": ["acme/rows", "acme/more"]}, ["acme/app"]),
        ({"linked": True}, ["acme/app"]),
    ],
)
def test_spaces_are_found_by_what_they_use(asked, found, spaces):
    assert sorted(each.id for each in spaces.list_spaces(**asked)) == found


def test_a_space_says_how_it_is_made_and_of_what(spaces):
    (listed,) = spaces.list_spaces(filter="gradio")
    whole = spaces.space_info("acme/app")
    assert listed.sdk == whole.sdk == "gradio"
    assert (whole.models, whole.datasets) == (["acme/base"], ["acme/rows", "acme/more"])


@pytest.fixture(scope="module")
def spaces(hub):
    """The client of a hub with a space that uses a model, and one that uses nothing."""
    api = hub.api("ana")
    for name, sdk in (("acme/app", "gradio"), ("acme/page", "static")):
        api.create_repo(name, repo_type="space", space_sdk=sdk)
    card = b"---\nsdk: gradio\nmodels: [acme/base]\ndatasets: [acme/rows, acme/more]\n---\n"
    api.upload_file(
        path_or_fileobj=card, path_in_repo="README.md", repo_id="acme/app", repo_type="space"
    )
    return api


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_what_may_be_expanded_is_what_the_client_knows(kind):
    known = getattr(hf_api, f"Expand{kind.capitalize()}Property_T")
    assert set(EXPANDABLE[kind]) == set(get_args(known))


def test_long_lists_of_likes_and_of_ones_own_come_in_pages(hub, monkeypatch):
    monkeypatch.setattr(likes, "PAGE", 1)
    monkeypatch.setattr(identity, "PAGE", 1)
    liked = ["acme/base", "acme/legal-topics"]
    for user in ("ana", "bob"):
        for name in liked:
            assert hub.ask("POST", f"/api/models/{name}/like", user).status_code == 200
    api = hub.api("ana")
    assert [each.username for each in api.list_repo_likers("acme/base")] == ["bob", "ana"]
    assert sorted(api.list_liked_repos("bob").models) == liked
    own = {each.id: each.storage > 0 for each in api.list_user_repos("acme")}
    assert own.items() >= {"acme/base": True, "acme/rows": True}.items()


def test_a_name_is_found_by_any_part_of_it_as_long_as_it_is_called_so(team_hub):
    def found(word: str) -> list[str]:
        return [each.id for each in team_hub.api("cleo").list_models(search=word)]

    api = team_hub.api("cleo")
    api.create_repo("acme/Sections_of-Debian")
    for word in ("ebi", "DEBIAN", "acme/sec", "_o", "s_", "n"):
        assert found(word) == ["acme/Sections_of-Debian"], word
    for word in ("model", "mo", "debians", '"', "'", "*", "a_b", "ä", "\0", "deb* OR ebi"):
        assert found(word) == [], word
    api.move_repo("acme/Sections_of-Debian", "acme/topics")
    assert (found("topics"), found("debian")) == (["acme/topics"], [])
    api.delete_repo("acme/topics")
    assert found("topics") == []


def test_a_store_of_before_learns_to_be_searched_when_it_is_opened(store):
    with store.database.writing() as db:
        add_account(db, "acme", "org")
        db.exec_driver_sql("DROP TABLE repo_names")
        for trigger in ("repo_named", "repo_renamed", "repo_unnamed"):
            db.exec_driver_sql(f"DROP TRIGGER {trigger}")
        create_repo(db, "model", the_account(db, "acme"), "moods", None, False)
    with contextlib.closing(open_hub(store.folder)) as again, again.database.reading() as db:
        found, _ = find_repos(db, NOBODY, Wanted("model", search=("mood",)), 5)
    assert [repo.id_ for repo in found] == ["acme/moods"]
