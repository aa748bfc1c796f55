"""Signing in to the pages of a team hub, by a token and for reading alone."""

from __future__ import annotations

import pytest

from . import web
from .serving import ANA_READS, TOKENS, make, running_hub
from .web import signed_in

hub = web.hub
team_hub = web.team_hub


def test_a_session_reads_and_nothing_else_and_ends_with_its_token(team_hub):
    make(team_hub, "acme/moods", visibility="private")
    session = signed_in(team_hub, ANA_READS)
    assert team_hub.ask("GET", "/acme/moods", headers=session).status_code == 200
    got = team_hub.ask("GET", "/acme/moods/resolve/main/.gitattributes", headers=session)
    assert got.status_code == 200
    assert team_hub.ask("GET", "/api/whoami-v2", headers=session).status_code == 401
    assert team_hub.ask("GET", "/api/models/acme/moods", headers=session).status_code == 401
    body = {"name": "x", "organization": "acme"}
    assert team_hub.ask("POST", "/api/repos/create", headers=session, json=body).status_code == 401
    from hubtl.server.accounts import revoke_token

    with team_hub.hub.database.writing() as db:
        revoke_token(db, "ana", "reader")
    assert team_hub.ask("GET", "/acme/moods", headers=session).status_code == 404


def test_signing_out_ends_that_session_for_whoever_kept_its_cookie_and_no_other(team_hub):
    first, second = (signed_in(team_hub, TOKENS["ana"]) for _ in range(2))
    make(team_hub, "acme/moods", visibility="private")
    answer = team_hub.ask("POST", "/logout", headers=first)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["set-cookie"].startswith("hubtl_session=; Max-Age=0;")
    assert team_hub.ask("GET", "/acme/moods", headers=first).status_code == 404
    assert team_hub.ask("GET", "/acme/moods", headers=second).status_code == 200
    assert team_hub.ask("POST", "/logout").status_code == 303


def test_a_cookie_is_out_of_reach_of_scripts_and_of_other_sites_and_holds_no_token(team_hub):
    answer = team_hub.ask("POST", "/login", data={"token": TOKENS["ana"], "next": "/acme"})
    cookie = answer.headers["set-cookie"]
    assert answer.headers["location"] == "/acme"
    assert "; HttpOnly; SameSite=Strict" in cookie and TOKENS["ana"] not in cookie
    over_tls = {"X-Forwarded-Proto": "https"}
    answer = team_hub.ask("POST", "/login", data={"token": TOKENS["ana"]}, headers=over_tls)
    assert answer.headers["set-cookie"].endswith("; Secure")
    forged = {"Cookie": "hubtl_session=WzFd.aaaaaa.bbbb"}
    assert "Sign in" in team_hub.ask("GET", "/", headers=forged).text


@pytest.mark.parametrize("address", ["/login", "/logout"])
def test_a_form_of_another_site_neither_signs_in_nor_out(address, team_hub):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        sent = {"data": {"token": TOKENS["ana"]}, "headers": {"Origin": origin}}
        answer = team_hub.ask("POST", address, **sent)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers
    own = {"data": {"token": TOKENS["ana"]}, "headers": {"Origin": team_hub.url}}
    assert team_hub.ask("POST", address, **own).status_code == 303


@pytest.mark.parametrize(
    "next_",
    ["//evil.example", "https://evil.example", "/\\evil", "\n/x", "/\t/evil.example", "/日本", ""],
)
def test_signing_in_leads_nowhere_else(next_, team_hub):
    answer = team_hub.ask("POST", "/login", data={"token": TOKENS["ana"], "next": next_})
    assert answer.headers["location"] == "/"


def test_wrong_tokens_are_told_and_counted(tmp_path):
    with running_hub(tmp_path, failures_a_minute=3) as server:
        answers = [server.ask("POST", "/login", data={"token": f"hf_{n}"}) for n in range(5)]
        assert [each.status_code for each in answers] == [401, 401, 401, 429, 429]
        assert "knows no such token" in answers[0].text


def test_a_hub_that_shows_nothing_to_strangers_asks_them_to_sign_in(tmp_path):
    with running_hub(tmp_path, anonymous=False) as server:
        make(server, "acme/moods")
        for path in ("/", "/models?search=a", "/acme", "/acme/moods", "/acme/nothing"):
            answer = server.ask("GET", path)
            assert answer.status_code == 303 and answer.headers["location"].startswith("/login?")
        assert server.ask("GET", "/login").status_code == 200
        assert server.ask("GET", "/static/style.css").status_code == 200
        session = signed_in(server, TOKENS["ana"])
        assert "HF_TOKEN" in server.ask("GET", "/acme/moods", headers=session).text
