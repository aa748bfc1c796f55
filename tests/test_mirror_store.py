"""What a mirror keeps: found, listed, backed up, collected, and gone on with."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from huggingface_hub.errors import (
    RepositoryNotFoundError,
)

from hubtl.registry.fingerprint import files_in
from hubtl.server import checking
from hubtl.server.accounts import find
from hubtl.server.backup import back_up, restore
from hubtl.server.hub import open_hub
from hubtl.server.importing import import_files
from hubtl.server.repos import delete_repo, find_repo, move_repo

from . import mirrored
from .mirrored import CARD, NAME, WEIGHTS, download, file, mirroring, problems
from .serving import TOKENS, TeamHubServer
from .stores import TWO, quiet

model = mirrored.model
source = mirrored.source
way = mirrored.way
mirror = mirrored.mirror


def test_a_list_has_what_was_fetched(mirror, source, model):
    import_files(source.hub, "model", "lab/more", files_in(model), TWO, "lab")
    api = mirror.api("dan")
    assert list(api.list_models()) == []
    api.model_info(NAME)
    assert [each.id for each in api.list_models(filter="text-classification")] == [NAME]


def test_a_name_that_changed_there_leads_to_the_new_one(mirror, source):
    with source.hub.database.writing() as db:
        move_repo(db, find_repo(db, "model", *NAME.split("/"))[0], find(db, "lab"), "feelings")
    api = mirror.api("dan")
    assert [api.model_info(NAME).id for _ in range(2)] == ["lab/feelings"] * 2
    assert mirror.ask("GET", file("README.md"), "dan", follow_redirects=True).text == CARD


def test_a_data_set_is_mirrored_and_a_space_is_not(mirror, source, model, tmp_path):
    import_files(source.hub, "dataset", "lab/rows", files_in(model), TWO, "lab")
    import_files(source.hub, "space", "lab/app", files_in(model), TWO, "lab")
    api = mirror.api("dan")
    assert api.dataset_info("lab/rows").sha == TWO
    got = api.hf_hub_download(
        "lab/rows", "more/words.txt", repo_type="dataset", cache_dir=tmp_path / "cache"
    )
    assert Path(got).read_text() == "great\nawful\n"
    with pytest.raises(RepositoryNotFoundError):
        api.space_info("lab/app")


def test_a_hub_that_takes_no_pickles_fetches_none(tmp_path, way, source, model):
    (model / "old.pkl").write_bytes(b"\x80\x04N.")
    import_files(source.hub, "model", "lab/old", files_in(model), TWO, "lab")
    with mirroring(tmp_path, way, pickles="refuse") as mirror:
        told = mirror.ask("GET", file("old.pkl", name="lab/old"), "dan")
        assert (told.status_code, "is a pickle" in told.text) == (403, True)


def test_a_mirror_has_backups_like_every_hub_and_what_has_not_come_is_no_fault(
    mirror, tmp_path, source
):
    download(mirror.api("dan"), NAME, "more/words.txt", tmp_path)
    back_up(mirror.hub, tmp_path / "tar", quiet)
    restore(tmp_path / "tar", tmp_path / "again", quiet)
    again = open_hub(tmp_path / "again")
    assert checking.check(again, quiet).problems == ()
    again.upstream = mirror.hub.upstream
    with TeamHubServer.around(again) as server:
        assert server.ask("GET", file("model.bin"), "dan").content == WEIGHTS


def test_what_is_removed_and_collected_is_fetched_again(mirror, source):
    def download():
        return mirror.ask("GET", file("model.bin"), "dan").content

    assert download() == WEIGHTS
    with mirror.hub.database.writing() as db:
        delete_repo(db, find_repo(db, "model", *NAME.split("/"))[0])
    assert mirror.hub.objects.collect(mirror.hub.database, time.time() + 1)[0] > 0
    assert mirror.api("dan").model_info(NAME).pipeline_tag == "text-classification"
    assert problems(mirror) == ()
    assert download() == WEIGHTS


def test_transformers_loads_through_a_mirror_and_goes_on_when_the_other_hub_is_gone(
    tmp_path, way, source, mirror, tiny_folders
):
    import_files(
        source.hub, "model", "lab/tiny", files_in(tiny_folders["acme/tiny-bert"]), TWO, "x"
    )
    code = (
        "from transformers import AutoModel, AutoTokenizer\n"
        "read, model = (each.from_pretrained(NAME) for each in (AutoTokenizer, AutoModel))\n"
        "rows = read('the room was kind', return_tensors='pt')\n"
        "print(model(**rows)[0].sum().item())\n"
    )

    def load(home: str) -> str:
        environment = {"HF_ENDPOINT": mirror.url, "HF_TOKEN": TOKENS["dan"]}
        environment |= {"HF_HOME": str(tmp_path / home), "DISABLE_SAFETENSORS_CONVERSION": "1"}
        done = subprocess.run(
            [sys.executable, "-c", f"NAME = 'lab/tiny'\n{code}"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    with contextlib.redirect_stdout(io.StringIO()) as direct:
        exec(code, {"NAME": str(tiny_folders["acme/tiny-bert"])})
    assert load("a") == direct.getvalue()
    way.close()
    assert load("b") == direct.getvalue()


def test_serve_says_what_is_no_hub_to_fetch_from(hubtl_cli, tmp_path):
    told = {
        "--upstream lab": "`lab` is no URL of a hub",
        "--upstream http://a --upstream-token-file no.txt": "`no.txt` can't be read",
        "--upstream http://a --upstream-age old": "`old` is no age",
        "--upstream-token-file no.txt": "--upstream-token-file is of no use alone",
    }
    for options, error in told.items():
        said = hubtl_cli(f"serve --port 0 --store {tmp_path / 'hub'} {options}")
        assert (said.code, said.err.startswith(f"error: {error}")) == (1, True), said.err
