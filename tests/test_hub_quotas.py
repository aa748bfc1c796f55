"""What an organisation may keep, by `hubtl hub org quota`: an upload above it is refused."""

from __future__ import annotations

import hashlib

import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import HfHubHTTPError

from hubtl.server.accounts import the_account
from hubtl.server.quotas import set_quota, used

from . import serving, test_hub_rights
from .serving import commit, make
from .test_hub_rights import LARGE, NAME, upload

team_hub, moods = serving.team_hub, test_hub_rights.moods
TOLD = "Storage limit reached: acme may keep"


@pytest.fixture
def full(moods):
    """The hub with acme's `moods`, where acme may keep ten bytes more than it does."""
    with moods.hub.database.writing() as db:
        acme = the_account(db, "acme").id
        set_quota(db, acme, used(db, acme) + 10)
    return moods


def refused(answer):
    return answer.status_code == 403 and answer.headers["X-Error-Message"].startswith(TOLD)


def test_what_does_not_fit_is_refused_on_every_way_in(full, tmp_path):
    big = b"x" * 100_000
    (tmp_path / "big.bin").write_bytes(big)
    said = {"oid": hashlib.sha256(big).hexdigest(), "size": len(big)}
    asked = {"operation": "upload", "objects": [said]}
    assert refused(full.ask("POST", f"/{NAME}.git/info/lfs/objects/batch", "ana", json=asked))
    asked = {"files": [{"path": "big.bin", "size": len(big), "sample": ""}]}
    assert refused(full.ask("POST", f"/api/models/{NAME}/preupload/main", "ana", json=asked))
    assert refused(commit(full, {"a.txt": b"eleven more"}, NAME))
    with pytest.raises(HfHubHTTPError, match=TOLD):
        full.api("ana").upload_file(
            path_or_fileobj=str(tmp_path / "big.bin"), path_in_repo="big.bin", repo_id=NAME
        )
    assert commit(full, {"a.txt": b"ten more.."}, NAME).status_code == 200


def test_an_address_to_upload_to_that_was_given_before_is_good_for_no_more_than_fits(moods):
    put, _ = upload(moods, "ana", b"eleven more")
    with moods.hub.database.writing() as db:
        acme = the_account(db, "acme").id
        set_quota(db, acme, used(db, acme) + 10)
    assert refused(moods.ask("PUT", put, content=b"eleven more"))
    assert list(moods.hub.objects.incoming.iterdir()) == []


def test_what_is_kept_already_costs_nothing_and_others_are_not_touched(full):
    full.api("ana").upload_file(path_or_fileobj=LARGE, path_in_repo="again.bin", repo_id=NAME)
    make(full, "ana/own")
    assert commit(full, {"a.txt": b"x" * 1000}, "ana/own").status_code == 200


def test_a_repository_moves_only_where_it_fits(full):
    make(full, "ana/own")
    assert commit(full, {"a.txt": b"x" * 1000}, "ana/own").status_code == 200
    with pytest.raises(HfHubHTTPError, match=TOLD):
        full.api("ana").move_repo("ana/own", "acme/own")
    with pytest.raises(HfHubHTTPError, match=TOLD):
        full.api("ana").duplicate_repo("ana/own", "acme/own")


def test_what_was_pushed_and_never_committed_counts_where_a_repository_moves_to(full):
    make(full, "ana/own")
    full.api("ana").preupload_lfs_files("ana/own", [CommitOperationAdd("a.bin", LARGE * 2)])
    with pytest.raises(HfHubHTTPError, match=TOLD):
        full.api("ana").move_repo("ana/own", "acme/own")


def test_a_quota_is_set_shown_and_taken_away(hubtl_cli, tmp_path):
    at = f"--store {tmp_path / 'hub'}"
    assert hubtl_cli(f"hub org add acme {at}").code == 0
    given = ("", "50GB", "", "1.5MB", "none")
    said = [hubtl_cli(f"hub org quota acme {most} {at}").out for most in given]
    assert said == [
        "acme keeps 0 B, no limit\n",
        "acme keeps 0 B, at most 50 GB\n",
        "acme keeps 0 B, at most 50 GB\n",
        "acme keeps 0 B, at most 1.5 MB\n",
        "acme keeps 0 B, no limit\n",
    ]
    shown = hubtl_cli(f"hub org quota acme 2TB --json {at}").json
    assert shown == {"name": "acme", "quota": 2_000_000_000_000, "bytes": 0}
    wrong = hubtl_cli(f"hub org quota acme lots {at}")
    assert (wrong.code, wrong.err.splitlines()[0]) == (1, "error: `lots` is no size")
    assert hubtl_cli(f"hub org quota amce 1GB {at}").code == 1
