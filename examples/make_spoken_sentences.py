"""Make examples/spoken-sentences: what an English voice says on the telephone, and its text.

apt-get download asterisk-core-sounds-en-wav asterisk-core-sounds-en    (Debian 12; unpack each by
dpkg-deb -x, and its core-sounds-en.txt.gz by gunzip)
python examples/make_spoken_sentences.py usr/share/asterisk/sounds core-sounds-en.txt FOLDER
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import soundfile

VOICE = "en_US_f_Allison"
# Whole sentences of 2 to 4 seconds, no two of which begin alike.
SOUNDS = (
    "cannot-complete-as-dialed",
    "conf-invalid",
    "conf-noempty",
    "conf-onlyone",
    "conf-roll-callcomplete",
    "demo-echodone",
    "demo-nomatch",
    "feature-not-avail-line",
    "followme/sorry",
    "privacy-unident",
    "something-terribly-wrong",
    "speed-dial-empty",
    "tt-monkeysintro",
    "tt-weasels",
    "vm-nobodyavail",
    "vm-savefolder",
)


def main(sounds: str, told: str, folder: str) -> None:
    """Write the clips and `metadata.csv`, a row a clip."""
    clips = Path(folder, "clips")
    clips.mkdir(parents=True)
    lines = (line.split(":", 1) for line in Path(told).read_text("utf-8").splitlines())
    texts = {line[0]: " ".join(line[1].split()) for line in lines if len(line) == 2}
    with Path(folder, "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file_name", "text"))
        for sound in SOUNDS:
            samples, rate = soundfile.read(Path(sounds, VOICE, f"{sound}.wav"))
            path = clips / f"{Path(sound).name}.ogg"
            soundfile.write(path, samples, rate, format="OGG", subtype="VORBIS")
            rows.writerow((f"clips/{path.name}", texts[sound]))


if __name__ == "__main__":
    main(*sys.argv[1:])
