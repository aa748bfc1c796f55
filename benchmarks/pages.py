"""How long pages of a team hub take that lists many repositories.

python -m benchmarks.pages --repositories 100000
python -m benchmarks.pages --database postgresql://USER@HOST/NAME     a new database, filled

Made are models of 500 organisations with cards as hubtl writes them, one in fifty private, in the
tables that the hub itself uses; then pages are asked for over HTTP, each time another one, and the
middle and the slowest time of each kind are printed, and the middle one of the processor's, client
and server together, which a busy machine changes less. The rival in the same run is the API's own
listing of as many, which renders nothing.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from hubtl.server.accounts import add_account
from hubtl.server.hub import Policy, TeamHub, open_hub
from hubtl.server.schema import repo_bases, repo_tags, repos
from tests.serving import TeamHubServer

ORGANISATIONS, BATCH = 500, 5000
TASKS = (
    "text-classification image-classification automatic-speech-recognition token-classification "
    "audio-classification sentence-similarity fill-mask text-generation"
).split()
DOMAINS = "legal medical finance software news science retail education travel sport".split()
LIBRARIES = ("peft", "transformers", "sentence-transformers")
LICENCES = ("apache-2.0", "mit", "cc-by-4.0", "bsd-3-clause")
WORDS = (
    "contracts letters invoices tickets reviews reports calls notes claims orders recipes claims "
    "patents filings moods topics drawings sections clips voices"
).split()


def fill(hub: TeamHub, number: int) -> None:
    """Put models into the tables of a hub, as commits of their cards would have."""
    dice = random.Random(0)
    with hub.database.writing() as db:
        owners = {
            f"team-{n:03}": add_account(db, f"team-{n:03}", "org") for n in range(ORGANISATIONS)
        }
        for start in range(1, number + 1, BATCH):
            last = min(start + BATCH, number + 1)
            made = [_model(dice, n, owners) for n in range(start, last)]
            db.execute(repos.insert(), [row for row, _, _ in made])
            db.execute(repo_tags.insert(), [tag for _, tags, _ in made for tag in tags])
            db.execute(repo_bases.insert(), [base for _, _, base in made])


def _model(
    dice: random.Random, number: int, owners: dict[str, int]
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Return the rows of one model: itself, its tags, and the base it was made from."""
    owner, task = dice.choice(list(owners)), dice.choice(TASKS)
    domain, library, licence = dice.choice(DOMAINS), dice.choice(LIBRARIES), dice.choice(LICENCES)
    name = f"{dice.choice(WORDS)}-{dice.choice(WORDS)}-{number}"
    base, value = f"team-000/base-{dice.randrange(100)}", dice.uniform(0.4, 0.95)
    tags = [library, task, "safetensors", "en", f"license:{licence}", f"base_model:{base}"]
    tags += [f"base_model:adapter:{base}", f"domain:{domain}", "hubtl"]
    told = {"low": value - 0.03, "high": value + 0.03, "confidence_level": 0.95}
    metrics = [{"type": "accuracy", "value": value, "name": "Accuracy", "args": told}]
    dataset = {"type": "private", "name": "824 held-out rows, 0123456789ab", "split": "test"}
    results = [{"task": {"type": task}, "dataset": dataset, "metrics": metrics}]
    facts = {
        "card": {"license": licence, "model-index": [{"name": name, "results": results}]},
        "config": {},
        "bases": [base],
        "relation": "adapter",
        "library": library,
        "task": task,
        "safetensors": {"parameters": {"F32": 22_000_000}, "total": 22_000_000},
        "tags": tags,
    }
    moment = time.time() - dice.uniform(0, 3e7)
    row = {
        "id": number,
        "kind": "model",
        "owner_id": owners[owner],
        "name": name,
        "folded": f"model/{owner}/{name}",
        "private": number % 50 == 0,
        "created": moment,
        "modified": moment,
        "downloads": int(dice.paretovariate(0.7)),
        "likes": 0,
        "task": task,
        "parameters": 22_000_000,
        "facts": facts,
    }
    tagged = [{"repo_id": number, "tag": tag} for tag in tags]
    return row, tagged, {"repo_id": number, "base": base}


def main() -> None:
    """Fill a hub, ask for each kind of page, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repositories", type=int, default=100_000)
    parser.add_argument("--asked", type=int, default=60, help="pages of each kind")
    parser.add_argument("--database", metavar="URL")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        policy = Policy(requests_a_minute=10**6)
        hub = open_hub(Path(room) / "store", policy, asked.database)
        fill(hub, asked.repositories)
        with TeamHubServer.around(hub) as server:
            print(f"{asked.repositories:,} models  median ms  slowest ms  median CPU ms")
            for name, addresses in _addresses(asked.repositories, asked.asked).items():
                times = [_seconds(server, address) for address in addresses]
                whole, used = zip(*times, strict=True)
                shown = [statistics.median(whole), max(whole), statistics.median(used)]
                print(f"{name:25}" + "".join(f" {each * 1e3:11.1f}" for each in shown))


def _addresses(number: int, asked: int) -> dict[str, list[str]]:
    """Return what is asked for, by what it is; nothing twice but where it says so."""
    dice = random.Random(1)
    teams = [f"team-{n:03}" for n in dice.sample(range(ORGANISATIONS), asked)]
    numbers = dice.sample(range(1, number), asked)
    both = [f"task={task}&domain={domain}" for task in TASKS for domain in DOMAINS][:asked]
    return {
        "the first page, again": ["/"] * asked,
        "the list, again": ["/models"] * asked,
        "a task and a domain": [f"/models?{query}" for query in both],
        "an organisation's list": [f"/models?author={team}" for team in teams],
        "search: one model": [f"/models?search={number}" for number in numbers],
        "search: a word of many": [f"/models?search={a}+{n}" for a in WORDS for n in range(10)][
            :asked
        ],
        "search: nothing": [f"/models?search=nothing-{number}" for number in numbers],
        "API: list of 30": ["/api/models?limit=30"] * asked,
        "API: search": [f"/api/models?search={number}&limit=30" for number in numbers],
    }


def _seconds(server: TeamHubServer, address: str) -> tuple[float, float]:
    """Return the seconds that an answer takes by the clock and of the processor."""
    began, used = time.perf_counter(), time.process_time()
    assert server.ask("GET", address).status_code == 200
    return time.perf_counter() - began, time.process_time() - used


if __name__ == "__main__":
    main()
