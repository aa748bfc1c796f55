"""Finding what a team hub has: filters, search, order, pages, and what is said of each model."""

from __future__ import annotations

import json

import pytest
from safetensors.numpy import save

from .serving import TeamHubServer

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


def test_data_sets_are_listed_by_themselves(hub):
    assert [each.id for each in hub.api("ana").list_datasets()] == ["acme/rows"]
