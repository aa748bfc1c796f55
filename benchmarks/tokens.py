"""Spans of texts: the parts of American addresses, labelled by hand, as `usaddress` carries them.

    pip download --no-deps --no-binary usaddress usaddress==0.5.16
    python -m benchmarks.tokens usaddress-0.5.16.tar.gz --into FOLDER --recipes probe,lora

Writes FOLDER/addresses.jsonl: 1,578 addresses, each once of the package's 1,626. Words of one type
side by side are one span, without the commas at its end. Then adapts MiniLM by each recipe, and
prints what it reaches on the test rows beside the plain rivals, which are told the same rows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import hubtl
from hubtl.registry.errors import NotReproduced

TASK = "token-classification"
BASE = "sentence-transformers/all-MiniLM-L6-v2"
SHA256 = "f7e614e2489c159cf85be1b6f86edbfaf329dbeedef4d002a025757afd1ec6c6"
FILES = ("labeled", "us50_train_tagged", "us50_messiest_manual_label")
LEAST = 40  # addresses of a type
Span = tuple[int, int, str]


def addresses(package: Path) -> Iterator[tuple[str, list[Span]]]:
    """Yield each address of the package and its spans; raises where it is another package."""
    if hashlib.sha256(package.read_bytes()).hexdigest() != SHA256:
        raise NotReproduced(f"`{package}` is not usaddress 0.5.16", "see how to download it above")
    with tarfile.open(package) as archive:
        for name in FILES:
            member = archive.extractfile(
                f"{package.name.removesuffix('.tar.gz')}/training/{name}.xml"
            )
            assert member is not None, "the package of this hash has it"
            for address in ElementTree.parse(member).getroot():
                yield read(address)


def read(address: ElementTree.Element) -> tuple[str, list[Span]]:
    """Return an address as a text, and its spans."""
    text = address.text or ""
    spans: list[Span] = []
    for word in address:
        start, inner = len(text), word.text or ""
        text += inner
        end = start + len(inner.rstrip(" ,;"))
        last = spans[-1] if spans else (0, 0, "")
        if last[2] == word.tag and not text[last[1] : start].strip():
            spans[-1] = (last[0], end, word.tag)
        elif end > start:
            spans.append((start, end, word.tag))
        text += word.tail or ""
    return text, spans


def write(package: Path, into: Path) -> Path:
    """Write the addresses as a table, without the types that few of them have."""
    rows = list(dict(addresses(package)).items())
    counts = Counter(kind for _, spans in rows for kind in {kind for *_, kind in spans})
    into.mkdir(parents=True, exist_ok=True)
    path = into / "addresses.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for text, spans in rows:
            kept = [span for span in spans if counts[span[2]] >= LEAST]
            file.write(json.dumps({"text": text, "spans": kept}) + "\n")
    return path


def main() -> None:
    """Adapt by each recipe, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("package", type=Path)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--recipes", default="probe,lora")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    options = dict(each.split("=", 1) for each in asked.set)
    data = write(asked.package, asked.into)
    for recipe in asked.recipes.split(","):
        out = asked.into / recipe
        place = {"base": BASE, "out": out, "domain": "general"}
        facts = hubtl.adapt(TASK, data, recipe=recipe, options=options, **place).facts
        f1, macro, gain = facts.metrics["f1"], facts.metrics["macro_f1"], facts.gain
        print(
            f"{recipe}: {facts.rows}, {len(facts.labels)} types, F1 {f1['value']:.3f} "
            f"({f1['low']:.3f} to {f1['high']:.3f}), macro F1 {macro['value']:.3f}, retention "
            f"{facts.retention['score']:.3f}, {facts.seconds:.0f} s"
        )
        for name, reached in facts.baselines.items():
            print(f"  {name}: F1 {reached['f1']:.3f}, macro F1 {reached['macro_f1']:.3f}")
        print(f"  gain {gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})")


if __name__ == "__main__":
    main()
