"""Repositories of a team hub: who sees them, who may change them, and by which names."""

from __future__ import annotations

import pytest
from huggingface_hub import CommitOperationCopy
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from hubtl.server.accounts import add_token, parse_scope
from hubtl.server.routes import ALL

from . import serving
from .serving import ANA_READS

team_hub = serving.team_hub

NAME = "acme/moods"


@pytest.fixture
def moods(team_hub):
    """A private repository of acme with one file."""
    api = team_hub.api("ana")
    api.create_repo(NAME, private=True)
    api.upload_file(path_or_fileobj=b"hello", path_in_repo="a.txt", repo_id=NAME)
    return team_hub


def status(server, method, path, user=None, **more):
    """Return the status of an answer and the code its client knows it by."""
    answer = server.ask(method, path, user, **more)
    return answer.status_code, answer.headers.get("x-error-code")


def token_with(server, user, scope):
    """Return a new fine-grained token of a user."""
    with server.hub.database.writing() as db:
        return add_token(
            db, server.hub.secret, user, role="fineGrained", scopes=[parse_scope(scope)]
        )


@pytest.mark.parametrize("path", [f"/api/models/{NAME}", f"/{NAME}/resolve/main/a.txt"])
def test_what_is_private_looks_like_what_is_not_there(path, moods):
    absent = path.replace("moods", "nothing")
    for who, told in ((None, 401), ("bob", 404), ("zoe", 404)):
        assert status(moods, "GET", path, who) == (told, "RepoNotFound")
        assert status(moods, "GET", absent, who) == (told, "RepoNotFound")
        one, other = moods.ask("GET", path, who), moods.ask("GET", absent, who)
        assert one.json() == other.json()
    assert status(moods, "GET", path, "dan") == (200, None)


def test_a_role_says_who_may_change_what(moods):
    path = f"/api/models/{NAME}/tag/main"
    told = {
        who: status(moods, "POST", path, who, json={"tag": f"by-{who}"})[0]
        for who in ("ana", "cleo", "dan", "eve", "bob")
    }
    assert told == {"ana": 201, "cleo": 201, "dan": 403, "eve": 403, "bob": 404}


def test_a_contributor_may_change_what_they_made(moods):
    eve = moods.api("eve")
    eve.create_repo("acme/eves")
    eve.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="acme/eves")
    with pytest.raises(HfHubHTTPError, match="403"):
        eve.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=NAME)


def test_a_token_that_reads_writes_nothing(moods):
    assert status(moods, "GET", f"/api/models/{NAME}", ANA_READS) == (200, None)
    made = {"name": "more", "organization": "acme"}
    assert status(moods, "POST", "/api/repos/create", ANA_READS, json=made) == (403, None)
    said = moods.ask("POST", f"/api/models/{NAME}/commit/main", ANA_READS, content=b"")
    assert said.status_code == 403


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [
        ("acme:write", 200, 201),
        (f"{NAME}:write", 200, 201),
        ("acme:read", 200, 403),
        ("acme/other:write", 404, 404),
    ],
)
def test_a_fine_grained_token_reaches_as_far_as_it_says(scope, reads, writes, moods):
    token = token_with(moods, "ana", scope)
    assert moods.ask("GET", f"/api/models/{NAME}", token).status_code == reads
    body = {"tag": "v1"}
    assert moods.ask("POST", f"/api/models/{NAME}/tag/main", token, json=body).status_code == writes
    listed = [each.id for each in moods.api(token).list_models()]
    assert listed == ([NAME] if reads == 200 else [])


@pytest.mark.parametrize(("scope", "told"), [(f"{NAME}:read", 200), ("acme/other:read", 403)])
def test_a_gate_opens_to_a_token_that_reaches_the_repository(scope, told, moods):
    moods.api("ana").update_repo_settings(NAME, gated="manual", visibility="public")
    address = f"/{NAME}/resolve/main/a.txt"
    assert moods.ask("GET", address, token_with(moods, "ana", scope)).status_code == told


def test_nobody_writes_without_a_token(moods):
    hub = {route.path: route for route in ALL if route.method != "GET"}
    public = {path for path, route in hub.items() if not route.private}
    assert public == {
        "/api/validate-yaml",
        "/api/{kind:kind}/{owner}/{name}/paths-info/{revision}",
        # By a signed address, or a token of their own:
        "/lfs/whole/{signature}",
        "/lfs/parts/{signature}/{number}",
        "/lfs/parts/{signature}",
        "/lfs/verify/{signature}",
        *(path for path in hub if path.startswith("/cas/")),
        # A browser's session, which reads alone:
        "/login",
        "/logout",
        # Reading by LFS; uploading is checked within:
        "/{kind:kind}/{owner}/{name}/info/lfs/objects/batch",
        "/{owner}/{name}/info/lfs/objects/batch",
    }
    batch = {"operation": "upload", "objects": []}
    moods.api("ana").update_repo_settings(NAME, visibility="public")
    assert status(moods, "POST", f"/{NAME}.git/info/lfs/objects/batch", json=batch)[0] == 401


def test_a_wrong_token_is_told_and_does_not_hide_the_repository(moods):
    answer = moods.ask("GET", f"/api/models/{NAME}", "hf_wrong_token")
    assert answer.status_code == 401
    assert answer.headers["x-error-message"] == "Invalid credentials in Authorization header"
    assert "x-error-code" not in answer.headers


def test_a_renamed_repository_is_found_by_its_old_name_until_that_is_taken(moods):
    ana = moods.api("ana")
    ana.move_repo(NAME, "acme/feelings")
    assert ana.model_info(NAME).id == "acme/feelings"
    assert ana.hf_hub_download(NAME, "a.txt", force_download=True)
    assert status(moods, "GET", f"/api/models/{NAME}", "bob") == (404, "RepoNotFound")
    ana.create_repo(NAME)
    assert ana.model_info(NAME).id == NAME


def test_a_renamed_repository_is_written_to_by_its_old_name(moods):
    ana = moods.api("ana")
    ana.move_repo(NAME, "acme/feelings")
    small, large = b"x" * 5_000_000, b"\0" * 5_000_000
    for path, content in (("small.txt", small), ("large.bin", large)):
        told = ana.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=NAME)
        assert told.repo_url.repo_id == "acme/feelings"
    ana.create_branch(NAME, branch="a/b")
    ana.create_tag(NAME, tag="a/b", revision="a/b")
    assert ana.create_discussion(NAME, title="why").num == 1
    assert [each.size for each in ana.get_paths_info(NAME, ["small.txt", "large.bin"])] == [
        len(small),
        len(large),
    ]


def test_a_body_may_call_a_repository_by_its_old_name_but_deletes_nothing_by_it(moods):
    ana = moods.api("ana")
    ana.move_repo(NAME, "acme/feelings")
    ana.move_repo(NAME, "acme/emotions")
    assert ana.model_info(NAME).id == "acme/emotions"
    with pytest.raises(RepositoryNotFoundError):
        ana.delete_repo(NAME)
    ana.delete_repo(NAME, missing_ok=True)
    assert ana.model_info("acme/feelings").id == "acme/emotions"


def test_a_copy_has_the_files_and_may_use_them_anew(moods):
    ana = moods.api("ana")
    weights = bytes(range(256)) * 9
    ana.upload_file(path_or_fileobj=weights, path_in_repo="a.bin", repo_id=NAME)
    copy = ana.duplicate_repo(NAME, "acme/copy")
    assert ana.duplicate_repo(NAME, "acme/copy", exist_ok=True) == copy
    again = CommitOperationCopy("a.bin", "b.bin")
    ana.create_commit("acme/copy", [again], commit_message="once more")
    assert ana.list_repo_files("acme/copy") == [".gitattributes", "a.bin", "a.txt", "b.bin"]
    assert ana.model_info("acme/copy").private


def test_names_are_found_in_any_case_and_given_once(moods):
    ana = moods.api("ana")
    assert ana.model_info("ACME/Moods").id == NAME
    with pytest.raises(HfHubHTTPError, match="409"):
        ana.create_repo("acme/MOODS")
    assert str(ana.create_repo("acme/MOODS", exist_ok=True)).endswith(NAME)


def test_a_namespace_of_somebody_else_is_closed(team_hub):
    for name in ("zoo/mine", "bob/mine", "nobody/mine"):
        with pytest.raises(HfHubHTTPError, match="403"):
            team_hub.api("ana").create_repo(name)


def test_what_is_deleted_is_gone_at_once(moods):
    ana = moods.api("ana")
    ana.delete_repo(NAME)
    with pytest.raises(RepositoryNotFoundError):
        ana.model_info(NAME)
    assert list(ana.list_models(author="acme")) == []


def test_a_private_organisation_makes_private_repositories_unless_told(team_hub):
    address, cleo = "/api/organizations/acme/settings/repositories", team_hub.api("cleo")
    asked = {"defaultRepoVisibility": "private"}
    assert status(team_hub, "PUT", address, "dan", json=asked) == (403, None)
    assert status(team_hub, "PUT", address, "cleo", json=asked) == (200, None)
    cleo.create_repo("acme/quiet")
    cleo.create_repo("acme/loud", visibility="public")
    told = {each.id: each.private for each in cleo.list_models(author="acme")}
    assert told == {"acme/quiet": True, "acme/loud": False}
