"""What is published of pictures and of sound does without hubtl what was measured, by any recipe.

Each recipe has a base of another family; all of a task's cards run in one process, in turn.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import hubtl
from hubtl.predictions import read_predictions
from hubtl.registry.facts import read_facts

from .conftest import QUICK
from .plain import plain_python, said_by_cards
from .serving import TOKENS, TeamHubServer, running_hub
from .tiny import PICTURES, SOUND, clip_folder, picture_folder

BASES = {
    "image-classification": {
        "probe": "efficientnet",
        "top": "vit",
        "lora": "resnet",
        "norm": "convnext",
        "full": "swin",
    },
    "audio-classification": {
        "probe": "ast",
        "top": "whisper",
        "lora": "wav2vec2",
        "norm": "hubert",
        "full": "wavlm",
    },
}


@dataclass(frozen=True)
class Road:
    """A task's data, the folder that each recipe made of it, and the hub they are all on."""

    task: str
    room: Path
    data: Path
    folders: dict[str, Path]
    server: TeamHubServer

    @property
    def environment(self) -> dict[str, str]:
        """A shell that knows the hub, and has no models yet."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUBTL_"))}
        about = {"HF_ENDPOINT": self.server.url, "HF_TOKEN": TOKENS["ana"]}
        return {**kept, **about, "HF_HOME": str(self.room / "plain-home")}

    def settle(self, patch: pytest.MonkeyPatch, home: Path) -> None:
        """Let hubtl speak to the hub, from a home of its own."""
        patch.setenv("HUBTL_HOME", str(home))
        patch.setenv("HF_HOME", str(home / "hf"))
        patch.setenv("HF_TOKEN", TOKENS["ana"])


@pytest.fixture(scope="module", params=list(BASES))
def road(request, tmp_path_factory):
    """Adapt and publish by every recipe, each upon a base of its own, to a new team hub."""
    task = request.param
    room = tmp_path_factory.mktemp("road")
    write = picture_folder if task == "image-classification" else clip_folder
    for seed, (part, rows) in enumerate((("train", 8), ("test", 3))):
        write(room / "data" / part, rows, seed)
    with running_hub(room) as server, pytest.MonkeyPatch.context() as patch:
        made = Road(task, room, room / "data", {}, server)
        made.settle(patch, room / "home")
        for recipe, base in BASES[task].items():
            folder = room / "bases" / base
            {**PICTURES, **SOUND}[base](folder)
            server.api("ana").create_repo(f"acme/{base}")
            server.api("ana").upload_folder(repo_id=f"acme/{base}", folder_path=folder)
            made.folders[recipe] = hubtl.adapt(
                task,
                made.data,
                base=f"acme/{base}",
                recipe=recipe,
                hub=server.url,
                domain="general",
                options=QUICK[recipe],
                out=room / "adapted" / recipe,
            ).folder
            done = hubtl.publish(made.folders[recipe], f"acme/by-{recipe}", hub=server.url)
            assert done.verified and done.metric["measured"] == done.metric["reproduced"]
        yield made


def test_the_cards_of_all_recipes_say_without_hubtl_what_was_measured(road, tmp_path):
    cards = []
    for recipe in BASES[road.task]:
        repo = {"repo_id": f"acme/by-{recipe}", "filename": "README.md"}
        path = road.server.api("ana").hf_hub_download(**repo, local_dir=tmp_path / recipe)
        cards.append(Path(path).read_text())
    measured = [read_predictions(folder) for folder in road.folders.values()]
    said = said_by_cards(
        plain_python(tmp_path / "plain"), cards, [m.inputs for m in measured], road.environment
    )
    assert said == [each.predicted for each in measured]
    classes = len(list((road.data / "test").iterdir()))
    assert [len(each) for each in said] == [3 * classes] * len(BASES[road.task])


def test_the_cards_name_nothing_of_this_disk(road):
    for recipe in BASES[road.task]:
        text = "".join(
            (road.folders[recipe] / name).read_text() for name in ("README.md", "hubtl.json")
        )
        assert str(road.room) not in text


def test_verify_and_evaluate_say_it_again_later(road, monkeypatch, tmp_path):
    road.settle(monkeypatch, tmp_path / "another")
    measured = read_facts(road.folders["top"]).metrics
    name, url = "acme/by-top", road.server.url
    assert hubtl.verify(name, hub=url).verified
    shutil.move(road.data, tmp_path / "moved")
    try:
        found = hubtl.evaluate(name, tmp_path / "moved", hub=url)
    finally:
        shutil.move(tmp_path / "moved", road.data)
    assert found.metrics["accuracy"] == measured["accuracy"]
