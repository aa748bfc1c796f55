"""The pages of a team hub: what they show, and to whom."""

from __future__ import annotations

import re

import pytest

from . import web
from .serving import TOKENS, commit, make
from .web import CARD, Read, read, signed_in

hub = web.hub
team_hub = web.team_hub


PAGES = [
    "/",
    "/models",
    "/models?search=moods&domain=software",
    "/datasets",
    "/acme",
    "/ana",
    "/acme/moods",
    "/datasets/acme/rows",
    "/acme/moods/tree/main",
    "/acme/moods/tree/main/a",
    "/acme/moods/blob/v1/rules.md",
    "/acme/moods/commits/main",
    "/login",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_without_script_style_or_anything_from_elsewhere(path, hub):
    answer = hub.ask("GET", path)
    page = Read(answer.text)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src ")
    assert "script" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not {"script", "style", "iframe", "object", "embed"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        loaded = attributes.get("src") or (attributes.get("href", "") if tag == "link" else "")
        assert loaded == "" or loaded.startswith("/")


@pytest.mark.parametrize("path", PAGES)
def test_headings_are_in_order_and_everything_has_a_name(path, hub):
    page = read(hub, path)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(low - high <= 1 for high, low in zip(levels, levels[1:], strict=False))
    labelled = {label["for"] for label in page.all("label")}
    fields = [*page.all("input"), *page.all("select"), *page.all("textarea")]
    assert {each["id"] for each in fields if each.get("type") != "hidden"} == labelled
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(page.all("main")) == 1 and page.all("html")[0]["lang"] == "en"
    assert page.links()[0] == "#main"


def test_the_first_page_tells_what_is_there_by_domain_task_and_organisation(hub):
    page = read(hub, "/")
    assert "2 models and 1 data set" in page.words
    for link in ("/models?domain=software", "/models?task=fill-mask", "/acme", "/acme/moods"):
        assert link in page.links()


def test_a_list_is_narrowed_by_links_that_can_be_shared(hub):
    page = read(hub, "/models?search=ACME&domain=software")
    assert "1 model" in page.words and "/acme/moods" in page.links()
    assert "/acme/base" not in page.links()
    assert "/models?search=ACME&task=text-classification&domain=software" in page.links()
    assert "/models?search=ACME" in page.links()  # without the domain
    assert "Nothing here fits" in read(hub, "/models?search=x&author=acme").words


def test_pages_of_a_list_follow_each_other_and_miss_nothing(team_hub):
    for number in range(65):
        make(team_hub, f"acme/model-{number}")
    found, path = [], "/models?sort=createdAt"
    while path:
        page = read(team_hub, path)
        found += [link for link in page.links() if "/acme/model-" in str(link)]
        path = next((link["href"] for link in page.all("a") if link.get("rel") == "next"), None)
    assert found == [f"/acme/model-{number}" for number in reversed(range(65))]


def test_a_model_page_shows_card_facts_kin_and_the_lines_to_load_it(hub):
    page = read(hub, "/acme/moods")
    for words in ("apache-2.0", "allows commercial use", "Tells good from bad", "made from, and"):
        assert words.casefold() in page.words.casefold()
    assert f"export HF_ENDPOINT={hub.url}\nhf download acme/moods" in page.words
    assert "/acme/base" in page.links() and "/acme/moods/tree/v1" in page.links()
    assert "/acme/moods/tree/main/rules.md" in page.links() and "#card-use-it" in page.links()
    assert "/acme/moods" in read(hub, "/acme/base").links()  # among what was made from it
    assert "moods" not in page.words.split()  # the card's title is the page's


def test_a_file_is_shown_as_text_and_leads_to_its_bytes(hub):
    page = read(hub, "/acme/moods/tree/main/a/b.txt")
    assert "<b>bold</b>" in page.words and "/acme/moods/resolve/main/a/b.txt" in page.links()
    assert "a/" in read(hub, "/acme/moods/tree/main").words


def test_versions_tell_who_when_and_what(hub):
    page = read(hub, "/acme/moods/commits/main")
    assert "Upload rules.md with huggingface_hub" in page.words and "ana" in page.words
    assert "/acme/moods/tree/v1" in page.links()


PRIVATE = ["/zoo/secret-moods", "/zoo/secret-moods/tree/main", "/zoo/secret-moods/commits/main"]
PRIVATE += ["/zoo/secret-moods/tree/main/rules.md", "/zoo/secret-moods/blob/main/README.md"]


@pytest.mark.parametrize("path", PRIVATE)
def test_what_may_not_be_seen_gives_the_page_of_what_is_not_there(path, hub):
    for headers in ({}, signed_in(hub, TOKENS["ana"])):
        hidden = hub.ask("GET", path, headers=headers)
        absent = hub.ask("GET", path.replace("secret-moods", "nothing-here"), headers=headers)
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text.replace("secret-moods", "nothing-here") == absent.text
    assert hub.ask("GET", path, headers=signed_in(hub, TOKENS["zoe"])).status_code == 200


def test_no_list_and_no_count_tells_of_what_is_private(hub):
    mine, others = signed_in(hub, TOKENS["zoe"]), signed_in(hub, TOKENS["ana"])
    for path in ("/", "/models", "/zoo", "/models?search=secret", "/models?domain=software"):
        assert "secret-moods" in hub.ask("GET", path, headers=mine).text
        for headers in (others, {}):
            text = Read(hub.ask("GET", path, headers=headers).text)
            assert "zoo/secret-moods" not in text.words and "3 models" not in text.words


def test_members_are_shown_with_their_roles_to_members_alone(hub):
    assert "contribute" in hub.ask("GET", "/acme", headers=signed_in(hub, TOKENS["dan"])).text
    stranger = hub.ask("GET", "/acme", headers=signed_in(hub, TOKENS["zoe"])).text
    assert "Eve" in stranger and "contribute" not in stranger


def test_counts_follow_what_changes_at_once(team_hub):
    make(team_hub, "acme/moods")
    assert "1 model " in read(team_hub, "/").words
    team_hub.api("ana").update_repo_settings("acme/moods", private=True)
    assert "0 models " in read(team_hub, "/").words


def test_a_gated_card_is_for_those_who_have_access(team_hub):
    make(team_hub, "acme/moods")
    commit(team_hub, {"README.md": CARD.encode()}, "acme/moods")
    team_hub.api("cleo").update_repo_settings("acme/moods", gated="manual")
    stranger = team_hub.ask("GET", "/acme/moods")
    assert stranger.status_code == 200 and "Tells" not in stranger.text
    assert team_hub.ask("GET", "/acme/moods/tree/main/README.md").status_code in (303, 401)
    assert "Tells" in team_hub.ask("GET", "/acme/moods", "ana").text


def test_a_former_name_leads_to_the_page_and_clients_keep_their_answers(team_hub):
    make(team_hub, "acme/moods")
    team_hub.api("cleo").move_repo("acme/moods", "acme/feelings")
    answer = team_hub.ask("GET", "/acme/moods/tree/main")
    assert (answer.status_code, answer.headers["location"]) == (307, "/acme/feelings/tree/main")
    for path in ("/api/nothing", "/api/models/gpt2", "/gpt2/resolve/main/config.json"):
        assert team_hub.ask("GET", path).headers["content-type"] == "application/json"
