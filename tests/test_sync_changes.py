"""A `sync` that is said again brings what changed, and takes out what is gone."""

from __future__ import annotations

import datetime
import os
import random
import threading
import time

import pytest

import hubtl
from hubtl import syncing
from hubtl.plugins.hubs import hf_listing
from hubtl.plugins.hubs.hf_patience import Gate
from hubtl.registry.index import following
from hubtl.registry.index.bringing import Bringing
from hubtl.registry.index.folder import named
from hubtl.registry.index.listing import About, listings
from hubtl.registry.places import index
from hubtl.server.schema import repos
from hubtl.sources import open_hub

from .serving import TeamHubServer
from .syncs import counting, kill_and_look, read_by_many

CARD = "---\nlicense: mit\ntags: [domain:{}]\n---\n"
NAMES = [f"acme/model-{number}" for number in range(5)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A team hub whose models tests change; `with_five` gives it five again."""
    with TeamHubServer(tmp_path_factory.mktemp("changing")) as server:
        yield server


@pytest.fixture
def acme(store, monkeypatch):
    """A team hub with five models of acme's, that changed a day after each other, long ago."""
    monkeypatch.setattr(hf_listing, "OVERLAP", datetime.timedelta(0))
    api = store.api("ana")
    for info in list(api.list_models()):
        api.delete_repo(info.id)
    for name in NAMES:
        make(store, name)
    with store.hub.database.writing() as db:
        db.execute(repos.update().values(modified=10**9 + 86400 * repos.c.id))
    return store


@pytest.fixture
def large(monkeypatch):
    """Take any listing for one that is too large to be brought whole each time."""
    monkeypatch.setattr(syncing, "MANY", 0)


def make(server, name, domain="legal"):
    api = server.api("ana")
    api.create_repo(name, exist_ok=True)
    card = CARD.format(domain).encode()
    api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id=name)


def ids(words="", **asked):
    found = hubtl.search(words, organisation="acme", limit=50, **asked).entries
    return sorted(entry.id for entry in found)


def test_of_a_large_hub_what_changed_comes_and_nothing_else(acme, large):
    assert hubtl.sync(hub=acme.url).models == 5
    built = named(index())
    make(acme, "acme/model-0", "medical")
    make(acme, "acme/new")
    synced = hubtl.sync(hub=acme.url)
    assert (synced.models, synced.entries, synced.whole) == (3, 6, False)  # the last seen again
    assert ids(domain="medical") == ["acme/model-0"] and ids("acme/new") == ["acme/new"]
    assert named(index()) == built and len(listings(index())) == 2


def test_what_vanished_from_a_large_hub_is_gone_when_the_listing_is_a_week_old(acme, large):
    hubtl.sync(hub=acme.url)
    acme.api("ana").delete_repo("acme/model-1")
    hubtl.sync(hub=acme.url)
    assert ids() == NAMES
    os.utime(listings(index())[0].path, (0, 0))
    assert hubtl.sync(hub=acme.url).whole
    assert ids() == [name for name in NAMES if name != "acme/model-1"]
    assert len(list((index() / "listings").glob("*.jsonl"))) == 1


@pytest.mark.parametrize("organisation", [None, "ACME"])
def test_what_vanished_or_was_renamed_is_gone_at_once_from_a_small_hub(acme, organisation):
    hubtl.sync(hub=acme.url, organisation=organisation)
    built = named(index())
    acme.api("ana").delete_repo("acme/model-1")
    acme.api("ana").move_repo("acme/model-2", "acme/renamed")
    synced = hubtl.sync(hub=acme.url, organisation=organisation)
    assert (synced.models, synced.entries, synced.whole) == (4, 4, True)
    assert ids() == ["acme/model-0", "acme/model-3", "acme/model-4", "acme/renamed"]
    assert named(index()) == built


def test_what_vanished_from_an_organisation_stays_away_from_an_index_built_anew(acme, large):
    hubtl.sync(hub=acme.url)
    acme.api("ana").delete_repo("acme/model-1")
    assert hubtl.sync(hub=acme.url, organisation="acme").entries == 4
    assert following.follow(index(), anew=True) == 4
    make(acme, "acme/model-1")
    hubtl.sync(hub=acme.url)
    assert ids() == NAMES and following.follow(index(), anew=True) == 5


def test_a_hub_that_says_nothing_has_changed_is_not_read(acme):
    hubtl.sync(hub=acme.url)
    (before,) = listings(index())
    assert before.about.etag.startswith('W/"')
    assert hubtl.sync(hub=acme.url).models == 5
    assert [each.path for each in listings(index())] == [before.path]


def test_an_index_that_was_lost_or_spoilt_is_built_from_what_was_brought(acme):
    hubtl.sync(hub=acme.url)
    named(index()).write_bytes(named(index()).read_bytes()[:8192] + b"\xff" * 100_000)
    hubtl.sync(hub=acme.url)
    assert ids() == NAMES
    (index() / "current").unlink()
    hubtl.sync(hub=acme.url)
    assert ids() == NAMES


# --- in parts


@pytest.fixture
def short(monkeypatch):
    """Make parts of two models, and pages of one."""
    monkeypatch.setattr(hf_listing, "PAGE", 1)
    monkeypatch.setattr(hf_listing, "PART", 2)


def test_parts_are_together_the_whole_listing(acme, short):
    hub = open_hub(acme.url)
    starts, total = hub.parts(least=0, told=lambda count: None)
    parts = [list(hub.pages(organisation=None, least=0, start=start)) for start in starts]
    assert [sum(len(page.lines) for page in pages) for pages in parts] == [2, 2, 1]
    assert (
        total == 5 and len({line for pages in parts for page in pages for line in page.lines}) == 5
    )


def test_parts_are_brought_at_once_and_go_on_where_they_were(acme, short):
    hub = open_hub(acme.url)
    bringing = Bringing(index(), About(acme.url, acme.url))
    bringing.begin(*hub.parts(least=0, told=lambda count: None), "")
    first, second, _ = bringing.parts()
    pages = [hub.pages(organisation=None, least=0, start=start) for start in bringing.starts]
    assert list(first.add(pages[0])) == [1, 2]
    begun = second.add(pages[1])
    assert next(begun) == 1
    begun.close()  # as a kill leaves it
    said = []
    synced = hubtl.sync(hub=acme.url, progress=lambda *step: said.append(step))
    assert (synced.models, ids()) == (5, NAMES)
    assert (f"listing {acme.url}", 5, 5) in said
    assert not list((index() / "listings").glob("*.part"))


def test_a_hub_that_has_no_more_to_give_is_asked_by_nobody_until_it_says():
    way, passed = Gate(), list[float]()

    def ask():
        with way.passed():
            passed.append(time.monotonic() - start)

    start = time.monotonic()
    with way.passed(), way.passed():
        way.heed({"ratelimit": '"api";r=3;t=9'})
        ask()
        way.heed({"ratelimit": '"api";r=2;t=1'})  # two have asked and are not answered
    others = [threading.Thread(target=ask) for _ in range(3)]
    for each in others:
        each.start()
    for each in others:
        each.join()
    assert passed[0] < 0.9 and min(passed[1:]) > 0.9


# --- under searchers, and killed


def test_ten_processes_search_while_one_syncs_and_each_answer_is_whole():
    with counting(120, 20) as hub:
        read = read_by_many(hub, 10, 0, large=True)
    assert len(read) == 10 and all(searches >= rounds >= 2 for searches, rounds in read)


def test_a_sync_that_is_killed_at_any_moment_leaves_a_whole_index_and_goes_on():
    dice = random.Random(3)
    with counting(120, 20) as hub:
        hubtl.sync(hub=hub.url)
        for number in range(4):
            kill_and_look(hub, dice, 0.3, large=bool(number % 2))
