"""`sync` brings what a hub lists into the index, patiently, and goes on where it was."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import hubtl
from hubtl.plugins.hubs import hf_listing
from hubtl.registry.catalog import catalogue
from hubtl.registry.errors import BadOption, Refused, Unreachable
from hubtl.registry.index.bringing import Bringing, Page
from hubtl.registry.index.listing import About, listings
from hubtl.registry.places import index as index_folder

from .test_hub_listing import hub  # noqa: F401  (a hub with a base, an adapter and a private one)

KNOWN = len(catalogue().entries)


def ids(words="", **asked):
    return [entry.id for entry in hubtl.search(words, **asked).entries]


def test_what_a_team_hub_lists_is_found_without_it(hub):  # noqa: F811
    synced = hubtl.sync(hub=hub.url)
    assert (synced.hub, synced.models, synced.entries) == (hub.url, 2, 2)
    (found,) = hubtl.search("legal topics", domain="legal").entries
    assert (found.id, found.kind, found.licence) == ("acme/legal-topics", "adapter", "mit")
    assert (found.base, found.tasks) == ("acme/base", ("text-classification",))
    assert ids(kind="adapter", base="acme/base") == ["acme/legal-topics"]


def test_an_organisation_is_brought_beside_what_is_used_of_its_hub(hub, hubtl_cli):  # noqa: F811
    said = hubtl_cli(f"sync --hub {hub.url} --org acme --json")
    assert (said.json["models"], said.json["entries"]) == (2, 2)
    said = hubtl_cli(f"sync --hub {hub.url} --min-downloads 10")
    assert said.out.startswith(f"0 models of {hub.url} in ") and "the index has 2" in said.out
    assert "and the index of" in hubtl_cli("search legal topics").err


def test_a_hub_that_is_searched_as_it_is_needs_no_sync():
    with pytest.raises(BadOption) as told:
        hubtl.sync(hub="starter")
    assert told.value.message == "the hub `starter` needs no sync"


class Pages(BaseHTTPRequestHandler):
    """Answers with the server's pages; what a page is refused with comes first, once."""

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.path)
        at = int(self.path.partition("cursor=")[2] or 0)
        status, headers = (
            server.refusals.get(at, [(200, {})]).pop() if server.refusals.get(at) else (200, {})
        )
        self.send_response(status)
        if status == 200 and at + 1 < len(server.pages):
            place = f"http://{self.headers['host']}/api/models?cursor={at + 1}"
            headers = {"Link": f'<{place}>; rel="next"', **headers}
        body = json.dumps(server.pages[at] if status == 200 else {"error": "no"}).encode()
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def lister() -> Iterator[ThreadingHTTPServer]:
    """A server with three pages of two models, the most downloads first."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.pages = [
            [{"id": f"acme/model-{n}", "downloads": 100 - n, "tags": ["t"]} for n in (at, at + 1)]
            for at in (0, 2, 4)
        ]
        server.refusals, server.asked = {}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(hf_listing, "WAITS", (0.01, 0.01))


def test_all_pages_come_until_models_are_used_too_little(lister):
    assert hubtl.sync(hub=lister.url).models == 6
    assert hubtl.sync(hub=lister.url, least=97).models == 4
    assert sorted(ids("acme")) == [f"acme/model-{n}" for n in range(4)]


def test_a_busy_hub_is_waited_for_as_long_as_it_says(lister, quick):
    lister.refusals = {1: [(429, {"Retry-After": "1"}), (503, {})]}
    synced = hubtl.sync(hub=lister.url)
    assert synced.models == 6 and synced.seconds > 1


def test_what_a_hub_allows_no_more_requests_for_waits(lister):
    lister.refusals = {0: [(200, {"RateLimit": '"api";r=0;t=1'})]}
    assert hubtl.sync(hub=lister.url).seconds > 1


def test_a_sync_that_ended_early_goes_on_where_it_was_and_keeps_the_old_meanwhile(lister, quick):
    hubtl.sync(hub=lister.url)
    lister.pages[0][0]["id"] = "acme/renamed"
    lister.refusals = {2: [(500, {})] * 9}
    with pytest.raises(Unreachable, match="can't be listed: it answers 500"):
        hubtl.sync(hub=lister.url)
    assert ids("renamed") == []
    lister.refusals, lister.asked = {}, []
    assert hubtl.sync(hub=lister.url).models == 6
    assert lister.asked == ["/api/models?cursor=2"]
    assert ids("renamed") == ["acme/renamed"] and "acme/model-0" not in ids("acme")


def brought(folder, pages, least=0):
    """Return a listing in one part that is being brought, and what gives its number of lines."""
    bringing = Bringing(folder, About("hub", "hub", least=least))
    if not bringing.goes_on():
        bringing.begin([""], 0, "")
    (part,) = bringing.parts()
    return bringing, part, part.add(pages)


def kept(folder):
    return ["".join(each.lines()) for each in listings(folder)]


def test_a_page_that_was_half_written_is_brought_again(tmp_path):
    pages = [Page(("1", "2"), "b"), Page(("3",), "c"), Page(("4",), "")]
    bringing, part, begun = brought(tmp_path, pages)
    assert [next(begun), next(begun)] == [2, 3]
    begun.close()  # as a kill after the second page leaves it
    with part.path.open("a") as file:
        file.write("4\n5 hal")
    again, part, counts = brought(tmp_path, pages[2:])
    assert (part.begun(), part.done, kept(tmp_path)) == (("c", 3), False, [])
    assert list(counts) == [4]
    again.finish()
    assert kept(tmp_path) == ["1\n2\n3\n4\n"]
    assert not Bringing(tmp_path, again.about).goes_on()


def test_two_do_not_bring_the_same_at_once(lister):
    about = About(lister.url, lister.url)
    with Bringing(index_folder(), about).held(), pytest.raises(Refused, match="another process"):
        hubtl.sync(hub=lister.url)


def test_what_was_asked_for_otherwise_or_long_ago_is_begun_anew(tmp_path):
    bringing, part, counts = brought(tmp_path, [Page(("1",), "b")])
    assert (next(counts), part.begun()) == (1, ("b", 1))
    os.utime(tmp_path / "listings" / "hub.begun", (0, 0))
    assert brought(tmp_path, [])[1].begun() == ("", 0)
    other, part, counts = brought(tmp_path, [Page(("7",), "")], least=5)
    assert list(counts) == [1]
    other.finish()
    assert kept(tmp_path) == ["7\n"]


def test_a_page_on_another_server_is_not_asked_for(lister):
    lister.refusals = {0: [(200, {"Link": '<http://localhost:1/api/models>; rel="next"'})] * 3}
    with pytest.raises(Refused, match="points to a page on another server"):
        hubtl.sync(hub=lister.url)


def test_what_a_hub_tells_wrongly_is_left_out(lister, home: Path):
    lister.pages = [[7, {"id": 3}, {"id": "acme/odd", "tags": 5, "cardData": [], "downloads": "x"}]]
    lister.pages[0][2] |= {"safetensors": {"total": "many"}, "lastModified": {}}
    assert hubtl.sync(hub=lister.url, least=0).entries == 1
    assert ids("odd") == ["acme/odd"]


def test_a_hub_that_never_answered_is_given_up_soon(hubtl_cli):
    said = hubtl_cli("sync --hub http://127.0.0.1:1")
    assert said.code == 1 and said.err.endswith(
        "error: http://127.0.0.1:1 does not answer: ConnectError\n\n"
        "hint: is the address right? `hubtl doctor`\n"
    )
