"""The card of each task, whole: what is measured is masked, for it differs from machine to machine.

After a change that is meant: python -m tests.test_cards writes tests/cards/ anew.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

import hubtl
from hubtl.registry.cache import ModelCache
from hubtl.registry.fingerprint import files_in

from .conftest import WORDS, sentences, tiny_bert
from .test_transcripts import tiny_whisper, write_tones
from .tiny import PICTURES, SOUND, clip_folder, picture_folder

TASKS = (
    "text-classification",
    "image-classification",
    "audio-classification",
    "automatic-speech-recognition",
)
CARDS = Path(__file__).parent / "cards"
MASKS = [
    (r"- (Energy|CO2).*\n| and \S+ kWh", ""),
    (r"\b[0-9a-f]{7,64}\b", "HEX"),
    (r"\d+\.\d+(\.\w+)*(\+\w+)?(e-\d+)?|\d+ %|\d+%", "N"),
    (r"\d{4}-\d\d-\d\d|year = \{\d{4}\}", "DATE"),
    (r"Took \d+ s and N GiB on .* \(\d+ cores\)", "Took N s and N GiB on CPU"),
    (r"(beats|\*\*does not beat\*\*) [\w +-]+ at", "compares with RIVAL at"),
    (r"- It is not shown to be better than .*\n", ""),
    (r"epoch \d+ of \d+", "epoch N of N"),
    (r"best_epoch \d+", "best_epoch N"),
    (r"[+-]N", "N"),
    (r"(accuracy|macro_f1|wer|cer): \[.*?\]", "N"),
]


def masked(card: str) -> str:
    for form, word in MASKS:
        card = re.sub(form, word, card)
    return card


def base_and_data(task: str, room: Path) -> tuple[str, Path, Path]:
    """Write a tiny base and a little data for a task, and return the name of the one, and both."""
    base, data = room / "base", room / "data"
    data.mkdir()
    if task == "text-classification":
        tiny_bert(base, pooled=True)
        for label in WORDS:
            (data / label).mkdir()
            for number, text in enumerate(sentences(label, 30)):
                (data / label / f"{number}.txt").write_text(text)
        return "tiny-encoder", base, data
    if task == "image-classification":
        PICTURES["vit"](base)
        return "vit", base, picture_folder(data / "pictures")
    if task == "audio-classification":
        SOUND["whisper"](base)
        return "whisper", base, clip_folder(data / "clips")
    tiny_whisper(base)
    return "tiny-whisper", base, write_tones(data)


def card_of(task: str, room: Path) -> str:
    """Adapt a tiny base to a little data of a task, and return the card with masks."""
    name, base, data = base_and_data(task, room)
    cache = ModelCache(room / "shelf")
    cache.add(f"acme/{name}", files_in(base))
    hubtl.adapt(
        task,
        data,
        base=f"acme/{name}",
        recipe="lora" if task == "automatic-speech-recognition" else "probe",
        hub=f"folder:{cache.root}",
        domain="general",
        out=room / "adapted",
    )
    return masked((room / "adapted" / "README.md").read_text())


@pytest.mark.parametrize("task", TASKS)
def test_the_card_of_a_task_is_as_it_was(task, tmp_path):
    assert card_of(task, tmp_path) == (CARDS / f"{task}.md").read_text()


if __name__ == "__main__":
    for each in TASKS:
        with tempfile.TemporaryDirectory() as place:
            (CARDS / f"{each}.md").write_text(card_of(each, Path(place)))
