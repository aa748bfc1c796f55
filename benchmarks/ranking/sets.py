"""The data sets of which bases are ranked, as tables with the columns text or file, label, split.

`DATA` is the folder of real data; what it lacks comes out of Debian's packages (`apt-get download`,
unpacked, not installed): drawings by subject, photographs by subject, and spoken letters.
"""

from __future__ import annotations

import csv
import hashlib
import random
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

MODALITIES = ("text", "vision", "speech")
TASKS = {
    "text": "text-classification",
    "vision": "image-classification",
    "speech": "audio-classification",
}
TESTED, MOST = 800, 160  # rows to test by, and of a class of the pictures
LEARNT = 2 / 3  # of rows that have no parts, to train on at most
SEEDS, ENOUGH = (3, 10), 600  # least and most draws of a set, as many as make so many rows to test
LATIN = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
KINDS = (
    "animals food people plants recreation tools transportation office geography buildings".split()
)
STAMPS = "animals food plants seasonal symbols town vehicles".split()


@dataclass(frozen=True, slots=True)
class Row:
    """A text or a file's path, its label, the part it belongs to, whose voice it is, what it says.

    A row without a part may be to train on or to test with, as the seed has it.
    """

    input: str
    label: str
    split: str = ""
    voice: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """A data set; where there are voices, some of them are held out at a time."""

    name: str
    modality: str
    rows: tuple[Row, ...]

    @property
    def task(self) -> str:
        """The task that it is for."""
        return TASKS[self.modality]

    def drawn(self, count: int, seed: int) -> tuple[list[Row], list[Row]]:
        """Return so many rows to train on, drawn by a seed, a share of each class; and the test's.

        Where the set has parts, the test's are always the same. Where it has none, they are those
        of other voices, or the rows that are left: so few rows are many to test by over seeds. Of
        those that say the same none is on both sides.
        """
        dice = random.Random(f"{self.name} {seed}")
        voices = sorted({row.voice for row in self.rows})
        if len(voices) > 1:
            held = set(dice.sample(voices, max(2, len(voices) // 5)))
            train = sample([row for row in self.rows if row.voice not in held], count, dice)
            test = [row for row in self.rows if row.voice in held]
        else:
            some = [row for row in self.rows if row.split != "test"]
            most = len(some) if some[0].split else round(LEARNT * len(some))
            train = sample(some, min(count, most), dice)
            drawn, said = {row.input for row in train}, {row.says for row in train} - {""}
            test = [row for row in self.rows if row.split != "train"]
            test = [row for row in test if row.input not in drawn and row.says not in said]
        fixed = random.Random(self.name)
        return (
            [replace(row, split="train") for row in train],
            [replace(row, split="test") for row in sample(test, TESTED, fixed)],
        )

    def draws(self, count: int, seeds: int | None) -> list[tuple[list[Row], list[Row]]]:
        """Return what each seed draws: so many seeds, or more where few rows are there to test."""
        least, most = SEEDS
        tests = len(self.drawn(count, 0)[1])
        seeds = seeds or min(most, max(least, -(-ENOUGH // tests)))
        return [self.drawn(count, seed) for seed in range(seeds)]


def half_of(row: Row) -> int:
    """Return in which half of the test rows one is, whatever the seed."""
    return hashlib.sha256(row.input.encode()).digest()[0] % 2


def digest(*parts: Iterable[object]) -> str:
    """Return what tells rows or names from others."""
    return hashlib.sha256(repr([list(part) for part in parts]).encode()).hexdigest()[:12]


def sample(rows: Sequence[Row], count: int, dice: random.Random) -> list[Row]:
    """Return about so many rows, each class by its share and with two at least."""
    if len(rows) <= count:
        return list(rows)
    classes = defaultdict(list)
    for row in rows:
        classes[row.label].append(row)
    found = []
    for of in classes.values():
        mine = max(2, round(count * len(of) / len(rows)))
        found += dice.sample(of, min(mine, len(of)))
    dice.shuffle(found)
    return found


def write(rows: Iterable[Row], table: Path, task: str) -> Path:
    """Write rows as a table that `hubtl` reads."""
    column = "text" if task == TASKS["text"] else "file"
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((column, "label", "split", "speaker"))
        writer.writerows((row.input, row.label, row.split, row.voice) for row in rows)
    return table


def sets_of(modality: str, data: Path, room: Path) -> list[Data]:
    """Return the data sets of a modality."""
    made = {"text": texts, "vision": pictures, "speech": clips}[modality]
    return [Data(name, modality, tuple(rows)) for name, rows in made(data, room)]


def texts(data: Path, room: Path) -> Iterable[tuple[str, list[Row]]]:
    """Yield sets of texts: two of software, names of drawings, and proverbs by their language."""
    topics = read(data / "debian-sections/topics15.csv", "text")
    known = {row.label for row in topics}
    yield "topics", first_sentences(topics)
    every = read(data / "debian-sections/data.csv", "text")
    yield "sections", first_sentences(row for row in every if row.label not in known)
    yield "names", whole(read(data / "noto-emoji/manifest.csv", "text"))
    yield "languages", read(data / "fortunes-lang/data.csv", "text")


def pictures(data: Path, room: Path) -> Iterable[tuple[str, list[Row]]]:
    """Yield sets of pictures by their subject: small drawings, clip art, and stamps."""
    yield "emoji", whole(read(data / "noto-emoji/manifest.csv", "file"))
    art = unpacked("openclipart-png", room) / "usr/share/openclipart/png"
    yield "clipart", few(by_folder(art, KINDS))
    stamps = unpacked("tuxpaint-stamps-default", room) / "usr/share/tuxpaint/stamps"
    yield "stamps", few(by_folder(stamps, STAMPS))


def clips(data: Path, room: Path) -> Iterable[tuple[str, list[Row]]]:
    """Yield sets of clips: what a prompt is for, its kind, digits, letters, and who speaks."""
    yield "intent", whole(read(data / "asterisk-intent/manifest.csv", "file"))
    yield "kinds", whole(read(data / "asterisk-en-asr/manifest.csv", "file"))
    yield "digits", read(data / "asterisk-digits/manifest.csv", "file", "speaker")
    letters = unpacked("klettres-data", room) / "usr/share/klettres"
    found = [(path.parts[-3], path) for path in sorted(letters.glob("*/*/*.ogg"))]
    yield (
        "letters",
        [
            Row(str(path), letter, voice=voice)
            for voice, path in found
            if path.parent.name == "alpha" and (letter := said(path.stem)) in LATIN
        ],
    )
    yield "voices", few([Row(str(path), voice) for voice, path in found])


def said(name: str) -> str:
    """Return the letter that a clip of this name says, if it is named by one."""
    return (chr(int(name[1:], 16)) if name.startswith("U00") else name).upper()


def read(table: Path, column: str, voice: str = "") -> list[Row]:
    """Return a table's rows, with the paths of their files."""
    with table.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    return [
        Row(
            str((table.parent / row[column]).resolve()) if column == "file" else row[column],
            row["label"],
            row["split"],
            row[voice] if voice else "",
            " ".join(re.findall(r"\w+", row["text"].lower())),
        )
        for row in found
    ]


def first_sentences(rows: Iterable[Row]) -> list[Row]:
    """Return rows by their first sentence, each of which is there once: a tenth of the text."""
    found: dict[str, Row] = {}
    for row in rows:
        sentence = row.input.partition(". ")[0]
        found.setdefault(sentence, replace(row, input=sentence))
    return list(found.values())


def whole(rows: Iterable[Row]) -> list[Row]:
    """Return rows without the parts that their table has, which are drawn as any others are."""
    return [replace(row, split="") for row in rows]


def by_folder(top: Path, names: Iterable[str]) -> list[Row]:
    """Return the pictures below the folders of these names, each of one size or colour only."""
    found: dict[tuple[str, str], Row] = {}
    for name in names:
        for path in sorted((top / name).rglob("*.png")):
            stem = path.stem.rstrip("0123456789_-")  # one drawing comes in many variants
            if (name, stem) not in found and readable(path):
                found[name, stem] = Row(str(path), name)
    return list(found.values())


def readable(path: Path) -> bool:
    """Return whether `hubtl` reads a picture: some are too large."""
    from hubtl.plugins.vision.pictures import check_picture
    from hubtl.registry.errors import BadData

    try:
        check_picture(path)
    except BadData:
        return False
    return True


def few(rows: Sequence[Row]) -> list[Row]:
    """Return at most so many rows of a class, whichever a seed draws."""
    dice = random.Random(0)
    mixed = sorted(rows, key=lambda row: row.input)
    dice.shuffle(mixed)
    seen: Counter[str] = Counter()
    found = []
    for row in mixed:
        seen[row.label] += 1
        if seen[row.label] <= MOST:
            found.append(row)
    return found


def unpacked(package: str, room: Path) -> Path:
    """Return the folder of a Debian package's files."""
    folder = room / "packages" / package
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", package], cwd=folder.parent, check=True)
        (deb,) = folder.parent.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
    return folder
