"""What the index costs and how fast it answers, on hubs of three sizes that a seed makes.

    python -m benchmarks.registry [--sizes 25000 250000 2500000] [--room DIR] [--scan 200]

For each size: entries a second from a listing to an index that holds, bytes on disk, the most
memory of all processes together; milliseconds of 1,000 mixed questions (rare and very common words,
prefixes, mistakes, filters, adapters of a base), each asked once; the same hits as a scan of every
entry gives for 200 of them; seconds of `hubtl search` as a command; of 1,000 changes, of all that
`hubtl sync` does with 1,000 more once they came, and the questions once more after these.
Beside it, from the same run, the peer: a plain FTS5 table of the same models, asked for the words
of 100 of these questions, ordered by downloads. Machines are noisy: quote the ratios.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hubtl.registry.catalog import catalogue
from hubtl.registry.entry import Query
from hubtl.registry.index.bringing import Bringing, Page
from hubtl.registry.index.changing import change
from hubtl.registry.index.construction import build
from hubtl.registry.index.folder import named
from hubtl.registry.index.following import follow
from hubtl.registry.index.listing import About, listings
from hubtl.registry.index.reading import Index

from .exhaustive import scanned
from .synthetic_hub import questions, write_hub

QUESTIONS, PEERS = 1000, 100
HEAD = (
    "| entries | entries/s | CPU us each | MB | MB of memory | p50 ms | p99 ms | slowest"
    " | same hits | hubtl search, s | 1,000 changes s | by sync s | p99 ms after"
    " | peer: entries/s | MB | p50 ms | p99 ms | ours to theirs, mean ms |"
)
BARS = (
    "bars: 50,000 entries/s, 1.5 GB, 1 GB; p50 5 ms, p99 30 ms, all the same; 1,000 changes in 5 s"
)


def built(listing: Path, folder: Path) -> dict[str, float]:
    """Build an index in a process of its own, and return what it took."""
    command = [sys.executable, "-m", "benchmarks.registry", "--build", str(listing), str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    taken: dict[str, float] = json.loads(done.stdout)
    taken["bytes"] = sum(path.stat().st_size for path in folder.glob("models-*"))
    return taken


def build_and_tell(listing: Path, folder: Path) -> None:
    """Build an index, and print what it took."""
    start = time.perf_counter()
    count = build(folder, [listing])
    wall = time.perf_counter() - start
    own, workers = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    most = own.ru_maxrss + min(4, os.cpu_count() or 1) * workers.ru_maxrss
    cpu = own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime
    print(json.dumps({"count": count, "wall": wall, "cpu": cpu, "memory": most * 1024}))


def asked(folder: Path, queries: Sequence[Query]) -> tuple[list[float], list[list[str]]]:
    """Return the milliseconds that each question took, and the ids that were found."""
    licences = catalogue().licences
    taken, found = [], []
    index = Index.at(folder)
    assert index is not None
    with index:
        for query in queries:
            start = time.perf_counter()
            hits = index.search(query, licences)
            taken.append(1000 * (time.perf_counter() - start))
            found.append([entry.id for entry in hits.entries])
    return taken, found


def changed(folder: Path, some: Sequence[dict[str, Any]]) -> float:
    """Return the seconds that a thousand changes take: new figures, new models, and models gone."""
    told = [json.dumps(model | {"downloads": model["downloads"] + 7}) for model in some[:600]]
    told += [json.dumps(model | {"id": f"new/{number}"}) for number, model in enumerate(some[:300])]
    start = time.perf_counter()
    change(folder, told, [("hf", model["id"]) for model in some[600:700]])
    return time.perf_counter() - start


def synced(folder: Path, listing: Path, some: Sequence[dict[str, Any]]) -> float:
    """Return the seconds that a sync takes with a thousand changes when the network is done."""
    about = About("hub", "hf")
    kept = folder / "listings" / f"{about.name}@{0:020d}.jsonl"
    kept.parent.mkdir()
    with listing.open("rb") as lines, kept.open("wb") as file:
        file.write(f"{json.dumps(asdict(about))}\n".encode())
        shutil.copyfileobj(lines, file, 1 << 20)
    change(folder, [], listings=[kept.name])
    told = [json.dumps(model | {"downloads": model["downloads"] + 8}) for model in some]
    start = time.perf_counter()
    bringing = Bringing(folder, replace(about, whole=False))
    bringing.begin([""], 0, "")
    (part,) = bringing.parts()
    assert list(part.add([Page(tuple(told), "")])) == [1000]
    bringing.finish()
    built, _ = named(folder), follow(folder)
    taken = time.perf_counter() - start
    assert named(folder) == built and len(listings(folder)) == 2, "the index was built anew"
    kept.unlink()
    return taken


def cold(home: Path, runs: int = 9) -> tuple[float, float]:
    """Return the median seconds of `hubtl search` as a command, with an index and without.

    Each is a new process; modules are compiled, as an installer leaves them.
    """
    command = [sys.executable, "-m", "hubtl", "search", "sentiment", "gguf", "--json"]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept["PYTHONPYCACHEPREFIX"] = str(home / "bytecode")
    subprocess.run(command, check=True, env=kept, stdout=subprocess.DEVNULL)
    taken: tuple[list[float], list[float]] = ([], [])
    for run in range(2 * runs):
        environment = {**kept, "HUBTL_HOME": str(home / "nothing" if run % 2 else home)}
        start = time.perf_counter()
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        taken[run % 2].append(time.perf_counter() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


class Peer:
    """A plain FTS5 table, asked for words and ordered by downloads."""

    COLUMNS = "id, tasks, domains, languages, licence, kind, base, tags, about"

    def __init__(self, path: Path, listing: Path) -> None:
        start = time.perf_counter()
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        self.database.execute(
            f"CREATE VIRTUAL TABLE models USING fts5({self.COLUMNS}, downloads UNINDEXED)"
        )
        names = [*self.COLUMNS.split(", "), "downloads"]
        self.database.execute("BEGIN")
        with listing.open(encoding="utf-8") as lines:
            self.database.executemany(
                f"INSERT INTO models VALUES ({', '.join('?' * len(names))})",
                (
                    [" ".join(v) if isinstance(v := told[name], list) else v for name in names]
                    for told in map(json.loads, lines)
                ),
            )
        self.database.execute("COMMIT")
        self.seconds = time.perf_counter() - start

    def ask(self, query: Query) -> float:
        """Return the milliseconds that a question's words take."""
        start = time.perf_counter()
        words = [f'"{word.rstrip("*")}"{"*" * word.endswith("*")}' for word in query.words.split()]
        sql = "SELECT id FROM models WHERE models MATCH ? ORDER BY downloads DESC LIMIT 20"
        self.database.execute(sql, (" ".join(words),)).fetchall()
        return 1000 * (time.perf_counter() - start)


def of_size(count: int, room: Path, scan: int) -> dict[str, float]:
    """Return the figures of a hub of so many models."""
    listing, folder = room / "listing.jsonl", room / "index"
    write_hub(listing, count)
    figures = built(listing, folder)
    with listing.open(encoding="utf-8") as lines:
        some = [
            json.loads(line) for line in itertools.islice(lines, 0, None, max(1, count // 5000))
        ]
    queries = questions(some, QUESTIONS)
    taken, found = asked(folder, queries)
    figures |= {f"p{each}": percentile(taken, each) for each in (50, 99)} | {"slowest": max(taken)}
    for place in sorted(range(QUESTIONS), key=lambda at: -taken[at])[:5]:
        print(f"  slow: {taken[place]:.1f} ms for {queries[place]}", file=sys.stderr)
    expected = scanned(next(folder.glob("models-*")), listing, queries[:scan], catalogue().licences)
    figures["same"] = sum(ids == wanted for ids, wanted in zip(found, expected, strict=False))
    figures["answered"] = sum(map(bool, expected))
    figures["cold"], figures["cold without"] = cold(room)
    figures["change"] = changed(folder, some[:1000])
    figures["sync"] = synced(folder, listing, some[1000:2000])
    figures["p99 after"] = percentile(asked(folder, queries)[0], 99)
    peer = Peer(room / "peer.sqlite", listing)
    with_words = [at for at, query in enumerate(queries) if query.words][:PEERS]
    theirs = [peer.ask(queries[at]) for at in with_words]
    ours = [taken[at] for at in with_words]
    figures |= {
        "peer rate": count / peer.seconds,
        "peer bytes": (room / "peer.sqlite").stat().st_size,
        "peer p50": percentile(theirs, 50),
        "peer p99": percentile(theirs, 99),
        "ratio": statistics.mean(ours) / statistics.mean(theirs),
    }
    return figures


def percentile(values: Sequence[float], each: int) -> float:
    """Return the value that so many in a hundred do not exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * each // 100)]


def told(figures: dict[str, float], scan: int) -> str:
    """Return a line of the table."""
    count = figures["count"]
    return (
        f"| {count:,.0f} | {count / figures['wall']:,.0f} | {1e6 * figures['cpu'] / count:.1f} "
        f"| {figures['bytes'] / 1e6:,.0f} | {figures['memory'] / 1e6:,.0f} "
        f"| {figures['p50']:.2f} | {figures['p99']:.2f} | {figures['slowest']:.1f} "
        f"| {figures['same']:.0f} of {scan} ({figures['answered']:.0f} with hits) "
        f"| {figures['cold']:.2f} ({figures['cold without']:.2f} without an index) "
        f"| {figures['change']:.2f} | {figures['sync']:.2f} | {figures['p99 after']:.2f} "
        f"| {figures['peer rate']:,.0f} | {figures['peer bytes'] / 1e6:,.0f} "
        f"| {figures['peer p50']:.1f} | {figures['peer p99']:.1f} | {figures['ratio']:.4f} |"
    )


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[25_000, 250_000, 2_500_000])
    parser.add_argument("--room", type=Path)
    parser.add_argument("--scan", type=int, default=200)
    parser.add_argument("--build", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build_and_tell(*options.build)
        return
    print(f"{HEAD}\n|{'--:|' * HEAD.count(' | ')}--:|")
    for count in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.room) as room:
            print(told(of_size(count, Path(room), options.scan), options.scan), flush=True)
    print(BARS)


if __name__ == "__main__":
    main()
