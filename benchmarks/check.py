"""How much of what is planted `hubtl check` finds, and what it says of data as they are.

python benchmarks/check.py TASK DATA [TASK DATA ...] [--base ID] [--seeds 3]

DATA is a table with the columns `text` or `file`, `label` and `split`. Planted are: another label
in 1 % of the rows; for a twentieth of the test rows a train row that was edited a little; a column
of whence rows come, ten rows each, nine of them of one label; a column of one value.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from pathlib import Path

import hubtl

ALARMS = ("error", "warning")


def main() -> None:
    """Print a line for each table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pairs", nargs="+", metavar="TASK DATA")
    parser.add_argument("--base")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    print("| data | rows | alarms, clean | doubted, clean | swapped: precision | recall |", end="")
    print(" near copies: recall | group | constant | seconds |")
    print("|---" * 10 + "|")
    for task, data in zip(asked.pairs[::2], asked.pairs[1::2], strict=True):
        print(_line(task, Path(data), asked.base, asked.seeds), flush=True)


def _line(task: str, data: Path, base: str | None, seeds: int) -> str:
    with data.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if "file" in row:
            row["file"] = str((data.parent / row["file"]).absolute())
    options = {"columns": {"file": "file"} if "file" in rows[0] else {}, "base": base}
    with tempfile.TemporaryDirectory() as room:
        clean = hubtl.check(task, _written(rows, Path(room, "clean.csv")), **options)
        doubted, right, planted = _of(clean, "label"), 0, 0
        said = 0
        for seed in range(seeds):
            swapped, where = _swapped(rows, seed)
            dirty = hubtl.check(task, _written(swapped, Path(room, "swapped.csv")), **options)
            found = _of(dirty, "label")
            right, planted, said = (
                right + len(found & where),
                planted + len(where),
                said + len(found),
            )
        copies, where = _copied(rows, Path(room))
        crossing = _of(hubtl.check(task, _written(copies, Path(room, "c.csv")), **options), "near")
        crossing |= _of(hubtl.check(task, Path(room, "c.csv"), **options), "overlap")
        columns = [{**row, "always": "1"} for row in _grouped(rows)]
        told = hubtl.check(task, _written(columns, Path(room, "columns.csv")), **options).findings
    alarms = [each.kind for each in clean.findings if each.severity in ALARMS]
    group = any(
        f.kind == "group" and "`origin`" in f.what and f.severity == "warning" for f in told
    )
    constant = any(f.kind == "constant" and "`always`" in f.what for f in told)
    cells = (
        f"{data.parent.name}/{data.name}", len(rows), ", ".join(alarms) or "none",
        f"{len(doubted) / len(rows):.2%}", f"{right / max(1, said):.2f}", f"{right / planted:.2f}",
        f"{len(crossing & where) / len(where):.2f}", "found" if group else "missed",
        "found" if constant else "missed", f"{clean.seconds:.0f}",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _written(rows: list[dict[str, str]], path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        # On one line each, so that a row is known by its line.
        writer.writerows({k: " ".join(v.split()) for k, v in row.items()} for row in rows)
    return path


def _of(found: hubtl.Checked, kind: str) -> set[int]:
    """Return the numbers of the rows, from 0, that findings of a kind name."""
    return {
        int(row["row"].rpartition(":")[2]) - 2
        for each in found.findings
        if each.kind.startswith(kind)
        for row in each.rows
    }


def _swapped(rows: list[dict[str, str]], seed: int) -> tuple[list[dict[str, str]], set[int]]:
    dice = random.Random(seed)
    names = sorted({row["label"] for row in rows})
    where = set(dice.sample(range(len(rows)), max(1, len(rows) // 100)))
    return [
        {**row, "label": dice.choice([n for n in names if n != row["label"]])}
        if number in where
        else row
        for number, row in enumerate(rows)
    ], where


def _copied(rows: list[dict[str, str]], room: Path) -> tuple[list[dict[str, str]], set[int]]:
    dice = random.Random(0)
    tests = sum(row["split"] == "test" for row in rows)
    taken = dice.sample([row for row in rows if row["split"] == "train"], max(4, tests // 20))
    copies = [
        {**row, "split": "test", **_edited(row, number, dice, room)}
        for number, row in enumerate(taken)
    ]
    return [*rows, *copies], set(range(len(rows), len(rows) + len(copies)))


def _edited(row: dict[str, str], number: int, dice: random.Random, room: Path) -> dict[str, str]:
    if "file" not in row:
        return {"text": _reworded(row["text"].split(), number, dice)}
    if row["file"].endswith((".png", ".jpg")):
        return {"file": _redrawn(row["file"], number, room)}
    return {"file": _recorded(row["file"], number, room)}


def _reworded(words: list[str], number: int, dice: random.Random) -> str:
    """Return a text with a word less, a letter less, a word more, or other signs and case."""
    at = dice.randrange(len(words))
    if number % 4 == 0 and len(words) > 1:
        return " ".join(words[:at] + words[at + 1 :])
    if number % 4 == 1:
        return " ".join([*words[:at], words[at][1:], *words[at + 1 :]])
    if number % 4 == 2:
        return " ".join([*words[:at], "(sic)", *words[at:]])
    return " - ".join(" ".join(words).upper().split(". ")) + "!"


def _redrawn(path: str, number: int, room: Path) -> str:
    """Return a picture as JPEG, smaller, darker, or only recoded."""
    from PIL import Image, ImageEnhance

    picture = Image.open(path).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    if number % 3 == 1:
        picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4))
    if number % 3 == 2:
        picture = ImageEnhance.Brightness(picture).enhance(0.85)
    picture.save(room / f"{number}.jpg", quality=75)
    return str(room / f"{number}.jpg")


def _recorded(path: str, number: int, room: Path) -> str:
    """Return a clip at half the rate, half as loud, or with silence before it."""
    import numpy
    import soundfile
    from scipy.signal import resample_poly

    samples, rate = soundfile.read(path)
    if number % 3 == 0:
        samples, rate = resample_poly(samples, 1, 2), rate // 2
    elif number % 3 == 1:
        samples = samples / 2
    else:
        samples = numpy.concatenate([numpy.zeros(rate // 3), samples])
    soundfile.write(room / f"{number}.wav", samples, rate)
    return str(room / f"{number}.wav")


def _grouped(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    dice = random.Random(0)
    numbers = sorted(range(len(rows)), key=lambda n: (rows[n]["label"], dice.random()))
    origins = [""] * len(rows)
    for place, number in enumerate(numbers):
        strays = dice.random() < 0.1
        origins[number] = f"o{(dice.randrange(len(rows)) if strays else place) // 10}"
    return [{**row, "origin": each} for row, each in zip(rows, origins, strict=True)]


if __name__ == "__main__":
    main()
