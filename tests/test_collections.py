"""Collections of a team hub, as the Hub's own client uses them."""

# ruff: noqa: F811 - a test's arguments are named as the fixtures it imports

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import Collection, HfApi
from huggingface_hub.errors import HfHubHTTPError

from .serving import TeamHubServer, team_hub  # noqa: F401


@pytest.fixture
def ana(team_hub: TeamHubServer) -> HfApi:
    """Somebody who may write in acme, where there is a model and a data set."""
    api = team_hub.api("ana")
    api.create_repo("acme/moods")
    api.create_repo("acme/said", repo_type="dataset")
    return api


def refused(status: int) -> Any:
    return pytest.raises(HfHubHTTPError, match=str(status))


def inside(collection: Collection) -> list[tuple[str, str, str | None]]:
    return [(item.item_type, item.item_id, item.note) for item in collection.items]


def test_a_collection_is_known_by_its_title_and_by_former_ones(ana: HfApi) -> None:
    made = ana.create_collection("  Für Anfänger: 10 models!  ", namespace="acme", description="x")
    key = made.slug[-24:]
    assert made.slug == f"acme/fur-anfanger-10-models-{key}"
    assert made.url == f"{ana.endpoint}/collections/{made.slug}"
    assert (made.title, made.description, made.items) == ("Für Anfänger: 10 models!", "x", [])

    changed = ana.update_collection_metadata(made.slug, title="初心者", theme="pink", private=True)
    assert changed.slug == f"acme/{key}"
    assert (changed.title, changed.theme, changed.private) == ("初心者", "pink", True)
    assert ana.get_collection(made.slug) == ana.get_collection(changed.slug) == changed
    with refused(404):
        ana.get_collection(made.slug.replace("acme/", "ana/"))


def test_items_keep_an_order_and_notes(ana: HfApi) -> None:
    inner = ana.create_collection("Inner").slug
    slug = ana.create_collection("Outer", namespace="acme").slug
    ana.add_collection_item(slug, "acme/moods", "model", note="Start here")
    ana.add_collection_item(slug, "ACME/Said", "dataset")
    ana.add_collection_item(slug, inner, "collection")
    full = ana.add_collection_item(slug, "2307.09288", "paper")
    assert inside(full) == [
        ("model", "acme/moods", "Start here"),
        ("dataset", "acme/said", None),
        ("collection", inner, None),
        ("paper", "2307.09288", None),
    ]

    ana.update_collection_item(slug, full.items[0].item_object_id, note="Later", position=2)
    ana.delete_collection_item(slug, full.items[1].item_object_id)
    ana.delete_collection_item(slug, full.items[1].item_object_id, missing_ok=True)
    found = ana.get_collection(slug)
    assert inside(found) == [
        ("collection", inner, None),
        ("model", "acme/moods", "Later"),
        ("paper", "2307.09288", None),
    ]
    assert [item.position for item in found.items] == [0, 1, 2]


def test_an_item_tells_what_a_list_of_repositories_tells(
    ana: HfApi, team_hub: TeamHubServer
) -> None:
    slug = ana.create_collection("Moods").slug
    made = ana.add_collection_item(slug, "acme/moods", "model", note="a < b")
    told = team_hub.ask("GET", f"/api/collections/{slug}").json()["items"]

    assert told == [
        {
            "_id": made.items[0].item_object_id,
            "id": "acme/moods",
            "modelId": "acme/moods",
            "author": "acme",
            "lastModified": told[0]["lastModified"],
            "likes": 0,
            "downloads": 0,
            "gated": False,
            "private": False,
            "repoType": "model",
            "type": "model",
            "position": 0,
            "note": {"text": "a < b", "html": "a &lt; b"},
        }
    ]


def test_an_item_follows_its_repository_and_leaves_with_it(ana: HfApi) -> None:
    slug = ana.create_collection("Moods").slug
    ana.add_collection_item(slug, "acme/moods", "model")
    ana.move_repo("acme/moods", "acme/feelings")
    assert inside(ana.get_collection(slug)) == [("model", "acme/feelings", None)]

    ana.delete_repo("acme/feelings")
    assert ana.get_collection(slug).items == []


def test_what_is_there_already_is_refused_unless_that_is_fine(ana: HfApi) -> None:
    made = ana.create_collection("Moods")
    with refused(409):
        ana.create_collection("moods")
    again = ana.create_collection("Moods", description="other", exists_ok=True)
    assert (again.slug, again.description) == (made.slug, None)
    assert ana.create_collection("Moods", namespace="acme").slug != made.slug

    ana.add_collection_item(made.slug, "acme/moods", "model")
    with refused(409):
        ana.add_collection_item(made.slug, "acme/Moods", "model")
    assert len(ana.add_collection_item(made.slug, "acme/moods", "model", exists_ok=True).items) == 1
    for name, kind in (("acme/moods", "dataset"), ("acme/none", "model"), ("x", "paper")):
        with refused(404):
            ana.add_collection_item(made.slug, name, kind)


def test_a_private_collection_is_there_for_its_owners_alone(
    ana: HfApi, team_hub: TeamHubServer
) -> None:
    slug = ana.create_collection("Secret", namespace="acme", private=True).slug
    bob, dan = team_hub.api("bob"), team_hub.api("dan")

    for stranger in (bob, team_hub.api()):
        with refused(404):
            stranger.get_collection(slug)
        assert list(stranger.list_collections()) == []
    with refused(404):
        bob.delete_collection(slug)
    assert dan.get_collection(slug).title == "Secret"
    assert [each.slug for each in dan.list_collections()] == [slug]


def test_a_public_collection_is_changed_by_its_owners_alone(
    ana: HfApi, team_hub: TeamHubServer
) -> None:
    slug = ana.create_collection("Moods", namespace="acme").slug

    for reader in ("bob", "dan", "hf_ana_reads_0123456789"):
        api = team_hub.api(reader)
        for attempt in (
            lambda api=api: api.update_collection_metadata(slug, title="Mine"),
            lambda api=api: api.add_collection_item(slug, "acme/moods", "model"),
            lambda api=api: api.delete_collection(slug),
            lambda api=api: api.create_collection("Other", namespace="acme"),
        ):
            with refused(403):
                attempt()
    ana.delete_collection(slug)
    with refused(404):
        ana.delete_collection(slug)
    ana.delete_collection(slug, missing_ok=True)


def test_what_is_private_within_a_public_collection_is_left_out_for_strangers(
    ana: HfApi, team_hub: TeamHubServer
) -> None:
    ana.create_repo("acme/secret", private=True)
    hidden = ana.create_collection("Hidden", namespace="acme", private=True).slug
    slug = ana.create_collection("Shown", namespace="acme").slug
    ana.add_collection_item(slug, "acme/secret", "model")
    ana.add_collection_item(slug, hidden, "collection")
    ana.add_collection_item(slug, "acme/moods", "model")

    assert len(ana.get_collection(slug).items) == 3
    assert inside(team_hub.api("bob").get_collection(slug)) == [("model", "acme/moods", None)]
    zoe = team_hub.api("zoe")
    own = zoe.create_collection("Zoe's").slug
    for name, kind in (("acme/secret", "model"), (hidden, "collection")):
        with refused(404):
            zoe.add_collection_item(own, name, kind)


def test_collections_are_found_by_owner_and_by_item_a_page_at_a_time(
    ana: HfApi, team_hub: TeamHubServer
) -> None:
    first = ana.create_collection("First", namespace="acme").slug
    second = ana.create_collection("Second").slug
    third = ana.create_collection("Third").slug
    for slug in (third, first):
        ana.add_collection_item(slug, "acme/moods", "model")

    def slugs(**wanted: Any) -> list[str]:
        return [each.slug for each in ana.list_collections(**wanted)]

    assert slugs() == [first, third, second]
    assert slugs(owner="ACME") == [first]
    assert slugs(owner=["acme", "ana"], limit=2) == [first, third]
    assert slugs(item="models/acme/moods", sort="upvotes") == [first, third]
    assert slugs(item=["datasets/acme/said", "models/acme/none"]) == []
    page = team_hub.ask("GET", "/api/collections?limit=2&owner=ana")
    assert [each["slug"] for each in page.json()] == [third, second]
    page = team_hub.ask("GET", "/api/collections?limit=1&owner=ana")
    more = f'<{team_hub.url}/api/collections?limit=1&owner=ana&cursor=1>; rel="next"'
    assert page.headers["link"] == more


def test_a_list_shows_four_items_of_each_collection(ana: HfApi) -> None:
    slug = ana.create_collection("Papers").slug
    for number in range(6):
        ana.add_collection_item(slug, f"2307.0000{number}", "paper")

    assert len(next(iter(ana.list_collections())).items) == 4
    assert len(ana.get_collection(slug).items) == 6


def test_an_owner_s_collections_keep_their_order(ana: HfApi) -> None:
    slugs = [ana.create_collection(title).slug for title in ("One", "Two", "Three")]

    assert ana.update_collection_metadata(slugs[2], position=0).position == 0
    assert [ana.get_collection(slug).position for slug in slugs] == [1, 2, 0]
    ana.delete_collection(slugs[0])
    assert [ana.get_collection(slug).position for slug in slugs[1:]] == [1, 0]


def test_what_a_client_sends_amiss_is_refused_never_a_failure(
    ana: HfApi, team_hub: TeamHubServer
) -> None:
    slug = ana.create_collection("Moods").slug
    one = f"/api/collections/{slug}"

    def status(method: str, path: str, body: Any = None) -> int:
        return team_hub.ask(method, path, "ana", json=body).status_code

    assert status("POST", "/api/collections", {"title": " "}) == 400
    assert status("POST", "/api/collections", {"title": "x", "private": "no"}) == 400
    assert status("PATCH", one, {"theme": "beige"}) == 400
    assert status("PATCH", one, {"position": -1}) == 400
    assert status("PATCH", one, {"position": True}) == 400
    assert status("PATCH", one, {"title": None}) == 400
    assert status("PATCH", one, {"description": "x" * 151}) == 400
    assert status("POST", f"{one}/items", {"item": "acme/moods"}) == 400
    assert status("POST", f"{one}/items", {"item": {"type": "bucket", "id": "a/b"}}) == 400
    assert status("POST", f"{one}/items", {"item": {"type": ["model"], "id": 3}}) == 400
    assert status("POST", f"{one}/items", {"item": {"type": "collection", "id": slug}}) == 400
    half = rb'{"item": {"type": "model", "id": "acme/\ud800"}}'
    assert team_hub.ask("POST", f"{one}/items", "ana", content=half).status_code == 400
    assert status("PATCH", f"{one}/items/none", {"note": "x"}) == 404
    assert status("GET", "/api/collections?item=acme/moods") == 400
    assert status("GET", "/api/collections?sort=size") == 400
    assert status("GET", "/api/collections?cursor=x") == 400
    assert status("GET", f"/api/collections/ana/moods-{'0' * 24}") == 404
    assert status("GET", "/api/collections/ana/moods") == 404
