"""Publishing to a real server whatever happens: all or nothing, never twice, nothing sent again."""

# ruff: noqa: F811 - a test's arguments are named as the fixtures it imports

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

import hubtl
from hubtl.registry.entry import Query
from hubtl.registry.errors import HubtlError, Unreachable
from hubtl.registry.facts import read_facts
from hubtl.server.schema import commits
from hubtl.sources import open_hub

from .conftest import hear_ctrl_c
from .faulty import CUT, LOSE, Refusal, faulty_hub
from .publish_faults import FATES, as_ana, deliver, hashes, meet, on_main, requests_of, two_versions
from .serving import TOKENS, team_hub  # noqa: F401


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server behind a forwarder, for all tests here: each has a repository of its own."""
    with faulty_hub(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def hub(server):
    """The server without a fault; we are ana, and what a client would wait has passed."""
    server.listen()
    with as_ana():
        yield server
    server.listen()


@pytest.fixture
def name(request):
    """A repository of the test's own."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))
    return f"acme/{words[:40]}-{len(words)}".replace("--", "-")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where the one folder that these tests publish is kept once it is adapted."""
    return tmp_path_factory.mktemp("made") / "moods"


@pytest.fixture
def adapted_there(hub, made, moods, tiny_folders, tmp_path):
    """A copy of a folder that was adapted from a base of the server."""
    base = "acme/tiny-encoder"
    if not made.exists():
        hub.api("ana").create_repo(base)
        hub.api("ana").upload_folder(repo_id=base, folder_path=tiny_folders[base])
        options = {"base": base, "hub": hub.behind, "domain": "general", "recipe": "probe"}
        hubtl.adapt("text-classification", moods, out=made, **options)
    return shutil.copytree(made, tmp_path / "adapted" / "moods")


def why(call) -> str:
    with pytest.raises(HubtlError) as caught:
        call()
    return f"{caught.value.message} | {caught.value.hint}"


def titles(hub, name):
    return [each.title for each in hub.api("ana").list_repo_commits(name)]


def branches(hub, name):
    return [each.name for each in hub.api("ana").list_repo_refs(name).branches]


def start(hub, name, folder, *more, user="ana"):
    """Begin `hubtl publish` in a process of its own."""
    command = [sys.executable, "-m", "hubtl", "publish", str(folder), "--to", name]
    environment = {**os.environ, "HF_TOKEN": TOKENS[user]}
    piped = {"stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [*command, "--hub", hub.url, *more], env=environment, preexec_fn=hear_ctrl_c, **piped
    )


# --- faults


def test_each_request_may_fail_and_a_second_call_completes(hub, tmp_path):
    requests = requests_of(hub, tmp_path / "no-fault", 2)
    assert requests < 60
    ended = set()
    for number in range(1, requests + 1):
        # All fates at all requests are `make publish-faults`.
        fault = [*FATES.values()][number % len(FATES)](number)
        ended.add(meet(hub, tmp_path / f"fault-{number}", 2, fault).partition(":")[0])
    assert ended == {"mended by itself", "Unreachable"}


def test_a_commit_whose_answer_is_lost_is_found_by_the_next_call(hub, adapted_there, name):
    gone = threading.Event()

    def lost(request):
        if "/commit/main" in request.line:
            gone.set()
            return LOSE
        return CUT if gone.is_set() else None

    hub.fault = lost
    assert "can't be reached" in why(lambda: hubtl.publish(adapted_there, name, hub=hub.url))
    hub.listen()
    done = hubtl.publish(adapted_there, name, hub=hub.url, tag="v1")
    assert done.verified and not any("/commit/" in each.line for each in hub.requests)
    assert len(titles(hub, name)) == 2 and branches(hub, name) == ["main"]
    assert hub.api("ana").model_info(name).sha == done.commit


def test_of_two_who_publish_one_name_at_once_one_wins_and_the_other_is_told(
    hub, adapted_there, tmp_path, name
):
    other = shutil.copytree(adapted_there, adapted_there.with_name("other"))
    both = threading.Barrier(2)

    def race(request):
        if "/commit/main" in request.line:
            both.wait(120)

    hub.fault = race
    people = [
        start(hub, name, adapted_there, "--description", "of ana"),
        start(hub, name, other, "--description", "of cleo", user="cleo"),
    ]
    said = [person.communicate()[1] for person in people]
    codes = [person.returncode for person in people]
    assert sorted(codes) == [0, 1], said
    loser = said[codes.index(1)]
    assert f"error: somebody published `{name}` in the meantime" in loser
    assert f"hint: look at theirs: `hubtl show {name}`, then publish again" in loser
    assert len(titles(hub, name)) == 2 and branches(hub, name) == ["main"]
    card = hub.api("ana").hf_hub_download(name, "README.md", local_dir=tmp_path)
    assert ("of ana" in Path(card).read_text()) == (codes[0] == 0)


def test_ctrl_c_takes_the_draft_away(hub, adapted_there, name):
    sent = threading.Event()

    def note(request):
        if "/resolve/" in request.line and name in request.line:
            sent.set()
            threading.Event().wait(1)

    hub.fault = note
    publishing = start(hub, name, adapted_there)
    assert sent.wait(120)
    publishing.send_signal(signal.SIGINT)
    publishing.communicate()
    assert publishing.returncode == 130
    assert not hub.api("ana").repo_exists(name)


# --- storms


@pytest.fixture
def waits(monkeypatch):
    """How long clients wanted to wait."""
    found = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def storm(status, times, *headers):
    """Return a fault that refuses each request so often before it lets it through."""
    seen: dict[str, int] = {}

    def refuse(request):
        seen[request.line] = seen.get(request.line, 0) + 1
        return Refusal(status, headers) if seen[request.line] <= times else None

    return refuse


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_storm_is_waited_out(status, hub, tmp_path, waits, name):
    versions = two_versions(tmp_path / "storm")
    hub.fault = storm(status, 1)
    deliver(hub, name, versions.first, 1)
    assert titles(hub, name) == ["version 1", "initial commit"] and branches(hub, name) == ["main"]


def test_a_hub_says_how_long_to_wait(hub, tmp_path, waits, name):
    versions = two_versions(tmp_path / "storm")
    for number, header in enumerate(("Retry-After: 17", 'RateLimit: "api";r=0;t=17')):
        hub.fault = storm(429, 1, header)
        waits.clear()
        deliver(hub, f"{name}-{number}", versions.first, 1)
        assert {17, 18} <= set(waits) and max(waits) == 18  # huggingface_hub adds one


def test_a_storm_without_an_end_is_told(hub, tmp_path, waits, name):
    versions = two_versions(tmp_path / "storm")
    hub.fault = storm(503, 99)
    told = why(lambda: deliver(hub, name, versions.first, 1))
    assert told.startswith(f"{hub.url} refused `you`: 503")
    assert waits == [1, 2, 4, 8]
    hub.fault = storm(429, 99, "Retry-After: 3600")
    told = why(lambda: deliver(hub, name, versions.first, 1))
    assert told.endswith("| try again in 3600 s")
    assert waits == [1, 2, 4, 8]


# --- bytes


def test_a_second_version_sends_what_has_changed_and_that_alone(hub, tmp_path, name):
    versions = two_versions(tmp_path / "bytes", weights=400_000)
    deliver(hub, name, versions.first, 1)
    hub.listen()
    deliver(hub, name, versions.second, 2)
    weights, card = 400_000, (versions.second / "README.md").stat().st_size
    sent = {name: sum(each.size for each in hub.requests if name in each.line) for name in KINDS}
    assert weights <= sent["/xorbs/"] < weights * 1.01
    # A small file stands in the commit of the draft and in that of main, in base64, and a card is
    # looked at before each; a request's own words are some 400 bytes.
    assert sent["/commit/"] < 2 * (card * 4 / 3 + 1000)
    assert sent["/validate-yaml"] < 2 * (card * 1.1 + 500)
    assert hub.sent - sum(sent.values()) < 500 * len(hub.requests)


KINDS = ("/xorbs/", "/commit/", "/validate-yaml")


def test_what_was_sent_before_the_network_went_is_not_sent_again(hub, tmp_path, name):
    versions = two_versions(tmp_path / "bytes", weights=400_000)
    hub.fault = lambda request: CUT if "/branch/" in request.line else None
    with pytest.raises(Unreachable):
        deliver(hub, name, versions.first, 1)
    # The first call has taken its new repository away, as it could.
    assert on_main(hub, name) is None
    hub.listen()
    hub.fault = lambda request: CUT if "/branch/" in request.line else None
    hub.api("ana").create_repo(name, private=True)
    assert not list(open_hub(hub.url).search(Query(name.partition("/")[2])))
    with pytest.raises(Unreachable):
        deliver(hub, name, versions.first, 1)
    hub.listen()
    deliver(hub, name, versions.first, 1)
    assert hub.sent < 100_000


# --- where it goes


def test_a_new_repository_is_private_unless_told_otherwise(hub, tmp_path, name):
    versions = two_versions(tmp_path / "private")
    for private in (True, False):
        draft = open_hub(hub.url).draft(
            f"{name}-{private}", versions.first, private=private, message="m"
        )
        draft.accept()
        assert hub.api("ana").model_info(f"{name}-{private}").private is private


def put_draft(server, name, branch):
    """Leave a draft behind, two days ago where the branch is called old."""
    api = server.api("ana")
    api.create_branch(name, branch=branch)
    made = api.upload_file(
        path_or_fileobj=branch.encode(), path_in_repo="a", repo_id=name, revision=branch
    )
    if branch.endswith("old"):
        then = (datetime.now(UTC) - timedelta(days=2)).timestamp()
        with server.hub.database.writing() as db:
            db.execute(update(commits).where(commits.c.oid == made.oid).values(created=then))


def test_a_draft_is_swept_when_it_is_old_and_its_publishers_own(team_hub, tmp_path, name):
    versions = two_versions(tmp_path / "swept")
    with as_ana():
        deliver(team_hub, name, versions.first, 1)
        for branch in ("hubtl-draft-ana-old", "hubtl-draft-ana-new", "hubtl-draft-cleo-old"):
            put_draft(team_hub, name, branch)
        deliver(team_hub, name, versions.second, 2)
    assert sorted(branches(team_hub, name)) == [
        "hubtl-draft-ana-new",
        "hubtl-draft-cleo-old",
        "main",
    ]


# --- pull requests


def test_who_may_not_write_offers_a_pull_request(
    hub, adapted_there, hubtl_cli, tmp_path, monkeypatch, name
):
    first = deliver(hub, name, two_versions(tmp_path / "offered").first, 1)
    monkeypatch.setenv("HF_TOKEN", TOKENS["dan"])
    assert why(lambda: hubtl.publish(adapted_there, name, hub=hub.url)) == (
        f"you may not write to `acme` on {hub.url} | "
        "add --pr to offer it as a pull request, or ask its owner for the role `write`"
    )
    said = hubtl_cli(f"publish {adapted_there} --to {name} --hub {hub.url} --pr")
    assert said.code == 0, said.err
    proven, compared, against, offered, commit = said.out.splitlines()
    assert against == "against   v1: not compared, hubtl did not make it: it has no hubtl.json"
    assert offered == f"offered   {hub.url}/{name}/discussions/1"

    ana = hub.api("ana")
    offer = ana.get_discussion_details(name, 1)
    assert (offer.status, offer.author) == ("open", "dan")
    assert ana.model_info(name, revision="refs/pr/1").sha == commit.split()[1]
    assert ana.model_info(name).sha == first and branches(hub, name) == ["main"]
    ana.merge_pull_request(name, 1)
    published = {*read_facts(adapted_there).files, "README.md", "hubtl.json", ".gitattributes"}
    assert {*ana.list_repo_files(name)} == published


def test_a_pull_request_that_was_cut_short_is_gone_on_with(hub, tmp_path, monkeypatch, name):
    versions = two_versions(tmp_path / "offers")
    deliver(hub, name, versions.first, 1)
    monkeypatch.setenv("HF_TOKEN", TOKENS["dan"])

    def offer():
        return open_hub(hub.url).offer(name, versions.second, message="version 2")

    gone = threading.Event()

    def cut(request):
        if "/commit/refs" in request.line:
            gone.set()
        return CUT if gone.is_set() else None

    hub.fault = cut
    assert "can't be reached" in why(offer)
    hub.listen()
    draft = offer()
    ana = hub.api("ana")
    assert draft.number == 1 and ana.get_discussion_details(name, 1).status == "draft"
    assert hashes(draft.fetch(tmp_path / "back")) == hashes(versions.second)
    assert draft.accept() == draft.revision
    assert [each.status for each in ana.get_repo_discussions(name)] == ["open"]
    assert "has these very files already" in why(
        lambda: open_hub(hub.url).offer(name, versions.first, message="version 1")
    )


def test_a_shared_drive_has_no_pull_requests(adapted_there, tmp_path, name):
    drive = f"folder:{tmp_path / 'shelf'}"
    assert why(lambda: hubtl.publish(adapted_there, name, hub=drive, pull_request=True)) == (
        f"{drive} has no pull requests: who can write to it, publishes | "
        "leave out --pr, or offer it on a team hub: --hub hf"
    )
