"""Who has a mirror fetch, who sees what came, and what is never fetched or written over."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RevisionNotFoundError,
)
from sqlalchemy import update

from hubtl.registry.fingerprint import files_in
from hubtl.server.accounts import add_account, set_member
from hubtl.server.importing import import_files
from hubtl.server.schema import repos

from . import mirrored
from .mirrored import CARD, NAME, WEIGHTS, contents, download, file, mirroring, sent, snapshot
from .serving import TOKENS, TeamHubServer, commit
from .stores import ONE, THREE, TWO

model = mirrored.model
source = mirrored.source
way = mirrored.way
mirror = mirrored.mirror


def test_our_own_always_goes_before_the_other_hubs(tmp_path, way, source, model):
    import_files(source.hub, "model", "lab/ours", files_in(model), TWO, "lab")
    import_files(source.hub, "model", "acme/moods", files_in(model), TWO, "lab")
    with mirroring(tmp_path, way) as mirror:
        import_files(mirror.hub, "model", "lab/ours", files_in(model), THREE, "us")
        api = mirror.api("dan")
        assert api.model_info("lab/ours").sha == THREE
        with pytest.raises(RevisionNotFoundError):
            api.model_info("lab/ours", revision=TWO)
        # acme has members here: a stranger's acme elsewhere is another one.
        for name in ("acme/moods", "dan/moods"):
            told = mirror.ask("GET", f"/api/models/{name}", "dan")
            assert (told.status_code, told.json()) == (404, {"error": "Repository not found"})


def test_a_mirror_takes_revisions_that_are_imported(mirror, way, model, tmp_path):
    mirror.api("dan").model_info(NAME)
    way.close()
    (model / "more" / "words.txt").write_text("splendid\n")
    import_files(mirror.hub, "model", NAME, files_in(model), TWO, "us")
    assert snapshot(mirror, tmp_path / "a", TWO) == contents(model)


def test_a_mirror_is_not_written_to(mirror, way):
    mirror.api("dan").model_info(NAME)
    told = commit(mirror, {"a.txt": b"a"}, NAME)
    assert (told.status_code, told.json()["error"]) == (
        403,
        f"{NAME} is a mirror of {way.url}: nothing is changed here",
    )
    with pytest.raises(HfHubHTTPError, match="is a mirror of"):
        mirror.api("cleo").create_discussion(NAME, "May I?")
    with pytest.raises(HfHubHTTPError, match="is a mirror of"):
        mirror.api("ana").duplicate_repo(NAME, "ana/moods")


def test_only_who_has_a_token_has_anything_fetched(mirror, source):
    assert mirror.ask("GET", f"/api/models/{NAME}").status_code == 401
    mirror.api("dan").model_info(NAME)
    assert mirror.ask("GET", f"/api/models/{NAME}").json()["sha"] == ONE
    assert mirror.ask("GET", file("README.md")).text == CARD
    before = sent(source)
    told = mirror.ask("GET", file("model.bin"))
    assert told.status_code == 504 and "is not on this hub" in told.headers["X-Error-Message"]
    assert sent(source) == before


@pytest.fixture
def secret(source: TeamHubServer, model: Path) -> str:
    """A private model of the other hub, which dan may read there."""
    with source.hub.database.writing() as db:
        add_account(db, "vault", "org")
        set_member(db, "vault", "dan", "read")
    import_files(source.hub, "model", "vault/secret", files_in(model), TWO, "lab", private=True)
    return "vault/secret"


def test_the_other_hub_never_sees_a_clients_token(mirror, secret):
    # dan's token is good there too, and would open it.
    told = mirror.ask("GET", f"/api/models/{secret}", "dan")
    assert (told.status_code, told.headers["X-Error-Code"]) == (404, "RepoNotFound")


def test_what_came_by_the_hubs_own_token_is_for_all_who_are_known_and_for_nobody_else(
    tmp_path, way, secret
):
    with mirroring(tmp_path, way, TOKENS["dan"]) as mirror:
        api = mirror.api("bob")
        assert api.model_info(secret).sha == TWO and api.model_info(secret).private
        assert (
            Path(
                api.hf_hub_download(secret, "model.bin", cache_dir=tmp_path / "cache")
            ).read_bytes()
            == WEIGHTS
        )
        assert [each.id for each in api.list_models()] == [secret]
        assert mirror.ask("GET", f"/api/models/{secret}").status_code == 401
        assert mirror.ask("GET", file("model.bin", name=secret)).status_code == 401
        assert list(mirror.api().list_models()) == []


def test_a_gate_that_the_hubs_own_token_does_not_pass_is_told(mirror, source, way, tmp_path):
    with source.hub.database.writing() as db:
        db.execute(update(repos).values(gated="manual"))
    api = mirror.api("dan")
    assert api.model_info(NAME).sha == ONE
    with pytest.raises(GatedRepoError, match=f"does not give it to this hub: `{NAME}` is gated"):
        download(api, NAME, "model.bin", tmp_path)
