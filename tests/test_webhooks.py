"""Webhooks of a team hub: set up and looked after with the Hub's own client."""

# ruff: noqa: F811 - a test's arguments are named as the fixtures it imports

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import WebhookWatchedItem
from huggingface_hub.errors import HfHubHTTPError

from hubtl.server.outgoing import ForbiddenAddress, check_url, post

from .serving import TeamHubServer, team_hub  # noqa: F401

WATCHED = [{"type": "model", "name": "acme/moods"}]
ROUTE = "/api/settings/webhooks"


def test_a_webhook_is_set_up_changed_and_removed_by_its_owner_alone(
    team_hub: TeamHubServer,
) -> None:
    ana, bob = team_hub.api("ana"), team_hub.api("bob")
    watched = [WebhookWatchedItem("org", "acme"), WebhookWatchedItem("dataset", "acme/said")]
    made = ana.create_webhook(url="https://hooks.test/one", watched=watched, secret="s3cret")
    assert (made.url, made.watched, made.domains, made.secret, made.disabled) == (
        "https://hooks.test/one",
        watched,
        ["repo", "discussion"],
        "s3cret",
        False,
    )

    changed = ana.update_webhook(made.id, url="https://hooks.test/two", domains=["repo"])
    assert (changed.url, changed.watched, changed.domains, changed.secret) == (
        "https://hooks.test/two",
        watched,
        ["repo"],
        "s3cret",
    )
    assert ana.disable_webhook(made.id).disabled
    assert not ana.enable_webhook(made.id).disabled
    assert ana.list_webhooks() == [ana.get_webhook(made.id)]

    assert bob.list_webhooks() == []
    for attempt in (bob.get_webhook, bob.disable_webhook, bob.delete_webhook):
        with pytest.raises(HfHubHTTPError, match="404"):
            attempt(made.id)
    ana.delete_webhook(made.id)
    assert ana.list_webhooks() == []


def test_a_token_that_only_reads_is_shown_no_secret_and_changes_nothing(
    team_hub: TeamHubServer,
) -> None:
    team_hub.api("ana").create_webhook(
        url="https://hooks.test/one", watched=WATCHED, secret="s3cret"
    )

    reader = team_hub.api("hf_ana_reads_0123456789")
    assert [hook.secret for hook in reader.list_webhooks()] == [None]
    with pytest.raises(HfHubHTTPError, match="403"):
        reader.create_webhook(url="https://hooks.test/two", watched=WATCHED)
    assert team_hub.ask("GET", ROUTE).status_code == 401


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.test/",
        "file:///etc/passwd",
        "https:///nowhere",
        "https://user:password@hooks.test/",
        "https://hooks.test:99999/",
        "https://hooks.test/a b",
        "https://hooks.test/\r\nX-Evil: 1",
        "http://[::1",
        "http://localhost/",
        "http://127.0.0.1/",
        "http://0.0.0.0/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[2002:7f00:1::]/",
        "http://224.0.0.1/",
    ],
)
def test_a_url_that_is_not_to_be_called_is_refused_when_it_is_given(
    team_hub: TeamHubServer, url: str
) -> None:
    body = {"url": url, "watched": WATCHED}
    assert team_hub.ask("POST", ROUTE, "ana", json=body).status_code == 400


@pytest.mark.parametrize("url", ["http://2130706433/", "http://0x7f.1/", "http://127.1/"])
def test_an_address_written_strangely_is_refused_when_it_is_called(url: str) -> None:
    check_url(url, ())
    with pytest.raises(ForbiddenAddress):
        post(url, b"", {}, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"url": None},
        {"url": 3},
        {"jobSourceId": "job"},
        {"watched": []},
        {"watched": "acme"},
        {"watched": [{"type": "bucket", "name": "acme/x"}]},
        {"watched": [{"type": [], "name": {}}]},
        {"watched": [{"type": "model", "name": "acme"}]},
        {"watched": [{"type": "org", "name": "acme/moods"}]},
        {"domains": ["weather"]},
        {"secret": "two\nlines"},
        {"secret": "ключ"},
    ],
)
def test_a_webhook_that_could_not_work_is_refused(
    team_hub: TeamHubServer, changes: dict[str, Any]
) -> None:
    body = {"url": "https://hooks.test/", "watched": WATCHED, **changes}
    assert team_hub.ask("POST", ROUTE, "ana", json=body).status_code == 400
