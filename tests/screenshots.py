"""Look at hubtl's pages in real Chromium: light, dark and print, at 1280 and 390 pixels.

    python -m tests.screenshots [FOLDER|FILE.html ...] [--into DIR]

FOLDER is what `hubtl adapt` wrote, FILE.html what `hubtl rank --report` did; without any, pages are
made of the examples: of texts by LoRA, pictures, many classes, and labels by chance, which nothing
can beat a baseline on, and of a ranking. Writes pictures of the whole page for each way of looking,
and says where the page is wider than its window, text runs out of a figure, is too small, or hides
another, and what axe-core finds that keeps anybody out. Where no Chromium is found, Debian's is
installed.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

import hubtl

from .conftest import SECTIONS

WIDTHS = (1280, 390)
PAPER = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": False}
# What a look at a page would find fault with: all of it in CSS pixels, of the page as it is drawn.
FAULTS = """(() => {
  const found = [];
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide > 1) found.push(`the page is ${wide} px wider than its window`);
  for (const svg of document.querySelectorAll('svg')) {
    const box = svg.getBoundingClientRect(), name = svg.getAttribute('aria-label');
    const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t]);
    const seen = [];
    for (const [words, text] of texts) {
      const at = text.getBoundingClientRect();
      if (!words.trim()) continue;
      const out = Math.max(box.left - at.left, at.right - box.right, at.bottom - box.bottom);
      if (out > 2) found.push(`${name}: "${words}" runs ${Math.round(out)} px out`);
      const turned = text.getScreenCTM(), scale = Math.hypot(turned.a, turned.b);
      const size = parseFloat(getComputedStyle(text).fontSize) * scale;
      if (size < 9) found.push(`${name}: "${words}" is ${size.toFixed(1)} px high`);
      if (Math.abs(turned.b) < 1e-6) {
        for (const [other, b] of seen) {
          const across = Math.min(at.right, b.right) - Math.max(at.left, b.left);
          const down = Math.min(at.bottom, b.bottom) - Math.max(at.top, b.top);
          if (across > 2 && down > 4) found.push(`${name}: "${words}" hides "${other}"`);
        }
        seen.push([words, at]);
      }
    }
  }
  return found;
})()"""


AXE = files("axe_core_python") / "axe.min.js"  # axe-core by Deque, 4.4.3
BARRIERS = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
  each => `${each.id}: ${each.nodes.map(node => node.target.join(' ')).join(', ')}`))"""


def chromium() -> str:
    """Return a Chromium, installed from Debian with what draws a PDF where either is missing."""
    here = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), None)
    if here and shutil.which("pdftoppm"):
        return here
    print("installing Debian's chromium and poppler-utils", file=sys.stderr)
    asked = [] if os.geteuid() == 0 else ["sudo"]
    wait = ["-o", "DPkg::Lock::Timeout=600", "-qq"]
    for words in (["update"], ["install", "-y", "chromium", "poppler-utils"]):
        subprocess.run([*asked, "apt-get", *wait, *words], check=True, stdout=subprocess.DEVNULL)
    return here or "chromium"


class Page:
    """A tab of Chromium, spoken to by the DevTools protocol through a pair of pipes."""

    def __init__(self, to: BinaryIO, said: BinaryIO) -> None:
        self._to, self._said, self._number, self._rest = to, said, 0, b""
        self._session: dict[str, str] = {}
        tab = self.say("Target.createTarget", url="about:blank")["targetId"]
        found = self.say("Target.attachToTarget", targetId=tab, flatten=True)
        self._session = {"sessionId": found["sessionId"]}

    def say(self, method: str, **params: Any) -> Any:
        """Return what Chromium answers to a command of the protocol."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params, **self._session}
        self._to.write(json.dumps(asked).encode() + b"\0")
        self._to.flush()
        while True:
            told = self._next()
            if told.get("id") == self._number:
                assert "error" not in told, told["error"]
                return told["result"]

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            read = self._said.read1(1 << 20)
            assert read, "chromium ended before it answered"
            self._rest += read
        one, _, self._rest = self._rest.partition(b"\0")
        return json.loads(one)

    def open(self, path: Path) -> None:
        """Load a page and wait until it is drawn."""
        self.say("Page.navigate", url=path.absolute().as_uri())
        ready = "document.readyState == 'complete' && location.protocol == 'file:'"
        while not self.asked(ready):
            time.sleep(0.05)

    def asked(self, script: str) -> Any:
        """Return the value of an expression in the page, or what it promises."""
        told = {"expression": script, "returnByValue": True, "awaitPromise": True}
        found = self.say("Runtime.evaluate", **told)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")


@contextlib.contextmanager
def opened() -> Iterator[Page]:
    """Give a tab of a Chromium without a window, which ends with the block."""
    heard, to = os.pipe()
    said, says = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as room:
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        words += ["--remote-debugging-pipe", f"--user-data-dir={room}", "about:blank"]
        # It reads what it is told from its third file, and answers to its fourth.
        process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{heard} 4>&{says}', "chromium", chromium(), *words],
            pass_fds=(heard, says),
            stderr=subprocess.DEVNULL,
        )
        os.close(heard)
        os.close(says)
        try:
            with os.fdopen(to, "wb") as writes, os.fdopen(said, "rb") as reads:
                yield Page(writes, reads)
        finally:
            process.terminate()
            process.wait(30)


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds on the page that keeps anybody out: its rule, and where."""
    page.asked(f"{AXE.read_text(encoding='utf-8')};0")
    return [str(each) for each in page.asked(BARRIERS)]


def shots(page: Page, path: Path, into: Path, name: str) -> list[str]:
    """Write the pictures of a page, and return what is wrong with it."""
    faults = []
    for scheme in ("light", "dark"):
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        page.say("Emulation.setEmulatedMedia", media="screen", features=media)
        for width in WIDTHS:
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
            page.say("Emulation.setDeviceMetricsOverride", **size)
            page.open(path)
            found = [*page.asked(FAULTS), *barriers(page)]
            faults += [f"{name} {scheme} {width}: {each}" for each in found]
            data = page.say("Page.captureScreenshot", captureBeyondViewport=True)["data"]
            (into / f"{name}-{scheme}-{width}.png").write_bytes(base64.b64decode(data))
    page.say("Emulation.clearDeviceMetricsOverride")
    page.say("Emulation.setEmulatedMedia", media="", features=[])
    page.open(path)
    printed = into / f"{name}-print.pdf"
    printed.write_bytes(base64.b64decode(page.say("Page.printToPDF", **PAPER)["data"]))
    drawn = ["pdftoppm", "-r", "70", "-png", str(printed), str(into / f"{name}-print")]
    subprocess.run(drawn, check=True)
    return faults


def tables(room: Path) -> dict[str, Path]:
    """Write three tables of Debian's descriptions: some, of many classes, and of chance."""
    with SECTIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    random.Random(1).shuffle(rows)
    parts = [[r for r in rows if r["split"] == part] for part in ("train", "test")]
    starts = Counter(row["source"][:2] for row in rows)
    many = {start for start, count in starts.most_common(45)}
    dice = random.Random(2)
    labelled = {
        "text": [(r["text"], r["label"], r["split"]) for r in [*parts[0][:500], *parts[1][:250]]],
        "many": [
            (r["text"], f"source-{r['source'][:2]}", "") for r in rows if r["source"][:2] in many
        ][:1100],
        "chance": [(r["text"], dice.choice(["left", "centre", "right"]), "") for r in rows[:300]],
    }
    found = {}
    for name, told in labelled.items():
        found[name] = room / f"{name}.csv"
        marked = told[0][2] != ""
        with found[name].open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label", "split"][: 3 if marked else 2])
            writer.writerows(row[: 3 if marked else 2] for row in told)
    return found


def made(room: Path) -> Iterator[Path]:
    """Yield adapted folders of the examples, one after another, and the page of a ranking."""
    text = "text-classification"
    jobs = {name: (text, table, "probe", {}) for name, table in tables(room).items()}
    jobs["text"] = (text, jobs["text"][1], "lora", {"epochs": "4"})
    jobs["pictures"] = ("image-classification", SECTIONS.parent / "noto-emoji", "probe", {})
    for name, (task, data, recipe, options) in jobs.items():
        print(f"adapting {name}", file=sys.stderr)
        yield hubtl.adapt(
            task, data, recipe=recipe, options=options, out=room / "adapted" / name
        ).folder
    print("ranking", file=sys.stderr)
    ranking = room / "ranking.html"
    hubtl.rank("image-classification", SECTIONS.parent / "noto-emoji", rows=200, report=ranking)
    yield ranking


def main() -> int:
    """Look at each page, and say what is wrong with it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pages", nargs="*", type=Path, metavar="FOLDER|FILE.html")
    parser.add_argument("--into", type=Path, default=Path("screenshots"))
    asked = parser.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as room, opened() as page:
        for each in asked.pages or made(Path(room)):
            seen = each / "report.html" if each.is_dir() else each
            faults += shots(page, seen, asked.into, each.stem)
    print("\n".join(faults or [f"nothing found; the pictures are in {asked.into}"]))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
