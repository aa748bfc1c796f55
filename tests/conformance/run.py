"""Run huggingface_hub's own tests against `hubtl serve`, and say which did not pass and why.

    python -m tests.conformance.run                 core twice (Xet on, Xet off), then extended
    python -m tests.conformance.run core            one of the runs: core, no-xet, extended
    python -m tests.conformance.run -k tag core     of one run, the tests whose ids hold a word
    python -m tests.conformance.run --discover      all others that contact the server

The tests come with the source release of huggingface_hub on PyPI, and run in an environment of
their own. Exits with 1 where a test that is meant to pass does not.
"""

from __future__ import annotations

import argparse
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .environments import TESTED, environment
from .serving import (
    BUILD,
    Organisation,
    User,
    failures_of,
    serving,
    stop_on_sigterm,
)

HERE = Path(__file__).parent
VERSION = "2.4.0"
SUITE = BUILD / "suite"
NEEDED = ("pytest", "pytest-mock", "pytest-asyncio", "pytest-timeout", "jinja2", "jedi")
LIVE = re.compile("ENDPOINT_STAGING|RepoFactory|api: HfApi")  # in a file that asks a server
RUNS = ("core", "no-xet", "extended")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one test; the reason is empty where it passed."""

    test: str
    state: str  # passed, failed or skipped
    reason: str
    requests: int = 0


def main() -> int:
    """Return the exit code: 0 where every test that is meant to pass did."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help=" ".join(RUNS))
    parser.add_argument("-k", dest="word", default="", help="only tests whose ids hold this")
    parser.add_argument("--discover", action="store_true", help="run those on no list")
    asked = parser.parse_args()
    stop_on_sigterm()
    suite()
    if asked.discover:
        return discover(asked.word)
    rows, missed = [], 0
    for run in [run for run in RUNS if run in asked.runs] or RUNS:
        tests = [test for test in listed(run) if asked.word in test]
        began = time.monotonic()
        outcomes = run_tests(run, tests)
        rows.append(row(run, outcomes, time.monotonic() - began))
        for each in outcomes:
            if each.state != "passed":
                missed += 1
                print(f"{run}: {each.test}\n    {each.state}: {each.reason}", flush=True)
    print(f"\nhuggingface_hub {VERSION}, its own tests against hubtl serve\n")
    print("run        tests  passed  failed  skipped  seconds")
    print("\n".join(rows))
    return 1 if missed else 0


def suite() -> None:
    """Unpack the tests of the release, and put our conftest beside them."""
    archive = BUILD / f"huggingface_hub-{VERSION}.tar.gz"
    if not archive.is_file():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        source = ["--no-deps", "--no-binary", ":all:", "--dest", str(BUILD)]
        subprocess.run([*pip, *source, f"huggingface_hub=={VERSION}"], check=True)
    shutil.rmtree(SUITE, ignore_errors=True)
    tests = SUITE / "tests"
    tests.mkdir(parents=True)
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            path = Path(member.name)
            if path.parts[1:-1] == ("tests",) and path.suffix == ".py":
                content = packed.extractfile(member)
                assert content, f"{path} is a file"
                (tests / path.name).write_bytes(content.read())
    (tests / "__init__.py").touch()
    (SUITE / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # else hubtl's would hold
    shutil.copy(HERE / "upstream_conftest.py", tests / "conftest.py")


def listed(run: str) -> list[str]:
    """Return the ids of a run's tests: without Xet, those of core that are not about Xet."""
    if run != "no-xet":
        return _lines(f"{run}.txt")
    about_xet = set(_lines("needs-xet.txt"))
    return [test for test in _lines("core.txt") if test not in about_xet]


def _lines(name: str) -> list[str]:
    """Return a list's test ids, without its comments."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def accounts() -> tuple[list[User], list[Organisation]]:
    """Return the users and organisations that the tests expect, as their constants have them."""
    known = runpy.run_path(str(SUITE / "tests" / "testing_constants.py"))
    user, other, admin = known["USER"], known["OTHER_USER"], known["ENTERPRISE_USER"]
    users = [
        User(user, known["TOKEN"], known["FULL_NAME"]),
        User(other, known["OTHER_TOKEN"]),
        User(admin, known["ENTERPRISE_TOKEN"]),
    ]
    organisations = [
        Organisation("valid_org_hub", user, "Dummy Hub Org"),
        Organisation(known["ENTERPRISE_ORG"], admin, private=True),
    ]
    return users, organisations


def run_tests(run: str, tests: Sequence[str]) -> list[Outcome]:
    """Return what became of some tests against a fresh hub, and of those that never ran."""
    if not tests:  # else all of them would run
        return []
    python = environment("suite", [f"huggingface_hub=={VERSION}", *NEEDED, *TESTED])
    report, out = BUILD / f"{run}.xml", BUILD / f"{run}.out"
    report.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=120"]
    command += ["--tb=short", "--continue-on-collection-errors", f"--junitxml={report}"]
    command += ["-o", "junit_family=xunit1", *tests]
    with serving(run, *accounts()) as address, tempfile.TemporaryDirectory() as home:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
        # The Rust side of Xet reads its cache's place from the environment only.
        clean |= {"HF_ENDPOINT": address, "HF_HOME": home, "HF_XET_CACHE": f"{home}/xet"}
        if run == "no-xet":
            clean["HF_HUB_DISABLE_XET"] = "1"
        with out.open("wb") as file:
            subprocess.run(command, cwd=SUITE, env=clean, stdout=file, stderr=file)
        failed = [Outcome("the hub itself", "failed", said) for said in failures_of(address)]
    if not report.is_file():
        raise SystemExit(f"the tests did not run; see {out}")
    found = list(outcomes_in(report))
    ran = {each.test.partition("[")[0] for each in found} | {each.test for each in found}
    absent = [test for test in tests if "::" in test and test not in ran]
    return [*found, *(Outcome(test, "failed", "did not run") for test in absent), *failed]


def outcomes_in(report: Path) -> Iterator[Outcome]:
    """Yield each test of a report; one that fails in its clean-up counts as failed."""
    for case in ElementTree.parse(report).iter("testcase"):
        found = [part for kind in ("failure", "error", "skipped") for part in case.iter(kind)]
        path, *classes = _split(case.get("classname", ""))
        test = "::".join([path, *classes, case.get("name", "")])
        sent = [p.get("value", "0") for p in case.iter("property") if p.get("name") == "requests"]
        state = "passed" if not found else "skipped" if found[0].tag == "skipped" else "failed"
        reason = (found[0].get("message") or "").strip().splitlines()[:3] if found else []
        yield Outcome(test, state, " ".join(reason)[:400], int(sent[0]) if sent else 0)


def _split(dotted: str) -> list[str]:
    """Return the file and the class of `tests.test_hf_api.TestTags`."""
    folder, *modules = dotted.split(".")
    return [f"{folder}/{'.'.join(modules[:1])}.py", *modules[1:]]


def row(run: str, outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return a run's line of the table."""
    count = [sum(each.state == s for each in outcomes) for s in ("passed", "failed", "skipped")]
    return "{:9}{:7}{:8}{:8}{:9}{:9.0f}".format(run, len(outcomes), *count, seconds)


def discover(word: str) -> int:
    """Print the tests on no list that send the server anything, with what became of them."""
    known = {*_lines("core.txt"), *_lines("extended.txt")}
    live = [
        f"tests/{path.name}"
        for path in sorted((SUITE / "tests").glob("test_*.py"))
        if word in path.name and LIVE.search(path.read_text(encoding="utf-8"))
    ]
    for each in run_tests("discover", live):
        if each.requests and each.test not in known:
            print(f"{each.state:8} {each.test}  {each.reason[:150]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
