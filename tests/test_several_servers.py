"""Several `hubtl serve` on one store or bucket and one PostgreSQL, written to by many at once."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest

from hubtl.cli.hub.opening import bucket_of, store_folder
from hubtl.server.checking import check
from hubtl.server.hub import open_hub

from . import buckets
from .cluster import PASSWORD
from .faults import REPO, TOKEN, Acknowledged, Writer, history, new_store, serving
from .stores import quiet

bucket = buckets.bucket
SERVERS, WRITERS, EACH = 4, 50, 3
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class Patient(Writer):
    """Commits until so many commits were acknowledged, and goes on where it was refused."""

    def __init__(self, url: str, number: int, known: Acknowledged, refused: list[httpx2.Response]):
        super().__init__(url, number, known)
        self.refused = refused

    def run(self) -> None:
        with httpx2.Client(base_url=self.url, headers=HEADERS, timeout=120) as client:
            done = 0
            while done < EACH:
                try:
                    self.commit(client)
                    done += 1
                except httpx2.HTTPStatusError as error:
                    self.refused.append(error.response)
                    time.sleep(0.5)


@pytest.fixture
def store(cluster, tmp_path) -> str:
    new_store(tmp_path / "store", cluster.url())
    return str(tmp_path / "store")


@pytest.fixture
def store_in_bucket(cluster, bucket) -> str:
    store = "s3://hub/contents"
    new_store(store_folder(store), cluster.url(), store)
    return store


@contextlib.contextmanager
def side_by_side(store: str) -> Iterator[list[str]]:
    """Give the addresses of servers side by side, with one log in the store's folder."""
    with contextlib.ExitStack() as held:
        log = held.enter_context((store_folder(store) / "log").open("ab"))
        found = [held.enter_context(serving(store, log=log))[1] for _ in range(SERVERS)]
        name = {"name": REPO.partition("/")[2]}
        made = httpx2.post(f"{found[0]}/api/repos/create", json=name, headers=HEADERS)
        assert made.status_code == 200
        yield found


@pytest.fixture
def urls(store) -> Iterator[list[str]]:
    with side_by_side(store) as found:
        yield found


def started(urls) -> tuple[list[Patient], Acknowledged, list[httpx2.Response]]:
    known, refused = Acknowledged(), []
    chosen = itertools.cycle(urls)
    writers = [Patient(next(chosen), number, known, refused) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    return writers, known, refused


def written_while(
    urls: list[str], stop: Callable[[], None], start: Callable[[], None]
) -> tuple[Acknowledged, list[httpx2.Response]]:
    """Let all write while something stops, till one is refused: clients are told 503, no more."""
    writers, known, refused = started(urls)
    while len(known.commits) < WRITERS:
        time.sleep(0.05)
    stop()
    assert len(known.commits) < WRITERS * EACH
    until = time.monotonic() + 60
    while not refused and time.monotonic() < until:  # the servers try again before they refuse
        time.sleep(0.05)
    start()
    for writer in writers:
        writer.join(500)
    assert len(known.commits) == WRITERS * EACH
    assert refused and {each.status_code for each in refused} == {503}
    return known, refused


def assert_all_is_there_once(store, urls, known) -> None:
    """Assert that each server has all that any acknowledged, once, and that it is whole."""
    listed = [history(url) for url in urls]
    assert all(each == listed[0] for each in listed)
    assert len(listed[0]) == len(set(listed[0]))
    assert set(known.commits) <= set(listed[0])
    hub = open_hub(store_folder(store), bucket=bucket_of(store))
    assert check(hub, quiet).problems == ()
    hub.close()


def test_fifty_writers_through_four_servers_get_all_in_once(store, urls):
    writers, known, refused = started(urls)
    for writer in writers:
        writer.join(500)
    assert (refused, len(known.commits)) == ([], WRITERS * EACH)
    assert_all_is_there_once(store, urls, known)
    assert len(history(urls[0])) == WRITERS * EACH + 1  # the first has .gitattributes


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_database_that_stops_and_starts_costs_no_commit(how, cluster, store, urls):
    known, refused = written_while(urls, lambda: cluster.stop(how), cluster.start)
    told = {each.json()["error"] for each in refused}
    assert told == {"The hub's database does not answer now"}
    logged = (store_folder(store) / "log").read_text()
    assert "the database does not answer" in logged
    assert "Traceback" not in logged and PASSWORD not in logged
    assert_all_is_there_once(store, urls, known)


def test_a_bucket_that_is_killed_and_comes_back_costs_no_commit(bucket, store_in_bucket):
    with side_by_side(store_in_bucket) as urls:
        known, _ = written_while(urls, bucket.kill, bucket.start)
        logged = (store_folder(store_in_bucket) / "log").read_text()
        assert "Traceback" not in logged and PASSWORD not in logged
        assert_all_is_there_once(store_in_bucket, urls, known)
    contents = [name for name in bucket.objects() if name.startswith("contents/")]
    assert len([name for name in contents if len(name.rpartition("/")[2]) == 64]) >= len(
        known.commits
    )
