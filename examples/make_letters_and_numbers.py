"""Make examples/letters-and-numbers: one letter or number a clip, said by six voices.

apt-get download asterisk-core-sounds-{en,es,fr,it}-wav asterisk-prompt-it-menardi-wav
apt-get download asterisk-prompt-fr-armelle    (Debian 12; unpack each by dpkg-deb -x)
python examples/make_letters_and_numbers.py usr/share/asterisk/sounds FOLDER
"""

from __future__ import annotations

import csv
import string
import sys
from pathlib import Path
from typing import Any

import soundfile

# The folder of each voice there, and the name and part it has here. No voice is on both sides.
VOICES = {
    "en_US_f_Allison": ("allison-en", "train"),
    "es_MX_f_Allison": ("allison-es", "train"),
    "fr_CA_f_June": ("june-fr", "train"),
    "it_IT_m_Carlo": ("carlo-it", "train"),
    "fr": ("armelle-fr", "test"),
    "it_IT_f_Menardi": ("menardi-it", "test"),
}
# What all six say.
NUMBERS = [*range(21), *range(30, 100, 10)]
SOUNDS = {
    **{letter: f"letters/{letter}" for letter in string.ascii_lowercase},
    **{str(number): f"digits/{number}" for number in NUMBERS},
}
TELEPHONE: dict[str, Any] = {"format": "RAW", "subtype": "GSM610", "channels": 1}
RATE = 8000


def heard(path: Path) -> Any:
    """Return the samples of a sound at RATE, whichever of two codings the voice has."""
    if path.with_suffix(".wav").is_file():
        return soundfile.read(path.with_suffix(".wav"))[0]
    return soundfile.read(path.with_suffix(".gsm"), samplerate=RATE, **TELEPHONE)[0]


def main(sounds: str, folder: str) -> None:
    """Write the clips and `metadata.csv`, a row a clip."""
    clips = Path(folder, "clips")
    clips.mkdir(parents=True)
    with Path(folder, "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file_name", "label", "voice", "split"))
        for voice, (name, part) in VOICES.items():
            for label, sound in SOUNDS.items():
                path = clips / f"{name}-{label}.ogg"
                samples = heard(Path(sounds, voice, sound))
                soundfile.write(path, samples, RATE, format="OGG", subtype="VORBIS")
                rows.writerow((f"clips/{path.name}", label, name, part))


if __name__ == "__main__":
    main(*sys.argv[1:])
