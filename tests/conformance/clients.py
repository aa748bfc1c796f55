"""Try `hubtl serve` with clients of three ages, with the libraries over them, and with `hf`.

    python -m tests.conformance.clients [WORD ...]

With words, only the clients whose names hold one of them. Prints a table; exits with 1 where a
step fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .environments import TESTED, environment
from .serving import BUILD, ROOT, User, failures_of, serving, stop_on_sigterm

ANA = User("ana", "hf_the_token_of_ana_the_prober", "Ana")
HUB_VERSIONS = ("0.36.2", "1.15.0", "2.4.0")
DATASETS = "datasets==5.2.0"
PATIENCE = 900
HF_STEPS = (
    ("auth whoami", "ana"),
    ("repos create ana/typed", "ana/typed"),
    ("upload ana/typed {folder}", "ana/typed"),
    ("models ls --author ana", "ana/typed"),
    ("models info ana/typed", "ana/typed"),
    ("download ana/typed", "snapshots"),
    ("download ana/typed big.bin --local-dir {elsewhere}", "big.bin"),
    ("cache verify ana/typed", ""),
    ("repos delete ana/typed --yes", ""),
)


@dataclass(frozen=True, slots=True)
class Step:
    """What one client did, and how it failed; an empty text where it didn't."""

    name: str
    failure: str
    seconds: float


def main() -> int:
    """Return the exit code: 0 where every step of every client went well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="only clients that hold one")
    words = parser.parse_args().words
    stop_on_sigterm()
    failed = 0
    for name, client in clients().items():
        if words and not any(word in name for word in words):
            continue
        with serving(name.replace(" ", "-"), [ANA]) as address, tempfile.TemporaryDirectory() as h:
            steps = list(client(name, surroundings(address, Path(h))))
            steps += [Step("the hub itself", said, 0.0) for said in failures_of(address)]
        failed += sum(bool(step.failure) for step in steps)
        print("\n".join(lines(steps)), flush=True)
    print(f"\n{failed} steps failed" if failed else "\nall steps went well")
    return 1 if failed else 0


def clients() -> dict[str, Callable[[str, dict[str, str]], Iterator[Step]]]:
    """Return the clients by name: each takes its name and environment, and yields its steps."""
    found: dict[str, Callable[[str, dict[str, str]], Iterator[Step]]] = {}
    for version in HUB_VERSIONS:
        for kind in ("model", "dataset"):
            found[f"hub {version} {kind}"] = _probe(version, kind)
    found["hub 2.4.0 model without xet"] = _probe("2.4.0", "model", HF_HUB_DISABLE_XET="1")
    found["hf command"] = hf_command
    found["libraries"] = libraries
    return found


def surroundings(address: str, home: Path) -> dict[str, str]:
    """Return the environment of a client: this hub, this user, a home of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING", "HUBTL_"))}
    more = {"HF_ENDPOINT": address, "HF_TOKEN": ANA.token, "PROBE_USER": ANA.name}
    more |= {
        "HF_HOME": str(home),
        "HF_XET_CACHE": str(home / "xet"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    more |= {"DISABLE_SAFETENSORS_CONVERSION": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1"}
    return {**kept, **more, "NO_COLOR": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


def _probe(version: str, kind: str, **more: str) -> Callable[[str, dict[str, str]], Iterator[Step]]:
    def run(name: str, env: dict[str, str]) -> Iterator[Step]:
        python = environment(f"hub-{version}", [f"huggingface_hub=={version}", "hf_xet"])
        command = [str(python), "-m", "tests.conformance.probe"]
        return _reported(name, command, {**env, "PROBE_KIND": kind, **more})

    return run


def libraries(name: str, env: dict[str, str]) -> Iterator[Step]:
    """Yield the steps of libraries.py, in this environment with `datasets` beside it."""
    python = environment("libraries", [DATASETS, *TESTED], beside=True)
    return _reported(name, [str(python), "-m", "tests.conformance.libraries"], env)


def _reported(name: str, command: Sequence[str], env: dict[str, str]) -> Iterator[Step]:
    """Yield the steps that a script reports; one that ends without them has failed itself."""
    log = BUILD / f"{name.replace(' ', '-')}.err"
    with log.open("wb") as errors:
        try:
            done = subprocess.run(
                command,
                env=env,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                timeout=PATIENCE,
            )
            said, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as late:
            said, code = late.stdout or b"", 1
    count = 0
    for line in said.decode().splitlines():
        about: dict[str, Any] = json.loads(line)
        if "about" in about:
            print(f"\n{name}: {about['about']}")
        else:
            count += 1
            yield Step(about["step"], about["failure"], about["seconds"])
    if code or not count:
        yield Step("the script itself", log.read_text(errors="replace")[-1500:], 0.0)


def hf_command(name: str, env: dict[str, str]) -> Iterator[Step]:
    """Yield what is typed with `hf`, each with a word that its output must hold."""
    folder, elsewhere = Path(env["HF_HOME"], "folder"), Path(env["HF_HOME"], "elsewhere")
    content = {"README.md": b"---\nlicense: mit\n---\n# typed\n", "big.bin": os.urandom(11 << 20)}
    folder.mkdir()
    for path, text in content.items():
        (folder / path).write_bytes(text)
    print(f"\n{name}")
    hf = Path(sys.executable).with_name("hf")
    for typed, told in HF_STEPS:
        words = shlex.split(typed.format(folder=folder, elsewhere=elsewhere))
        done = subprocess.run(
            [hf, *words], env=env, capture_output=True, text=True, timeout=PATIENCE
        )
        said = done.stdout + done.stderr
        fine = done.returncode == 0 and told in said
        yield Step(f"hf {typed}", "" if fine else f"exit {done.returncode}: {said[-600:]}", 0)
    got = (elsewhere / "big.bin").read_bytes() if (elsewhere / "big.bin").is_file() else b""
    yield Step("bytes compared", "" if got == content["big.bin"] else "they differ", 0)


def lines(steps: Sequence[Step]) -> Iterator[str]:
    """Yield a table of steps, and under each that failed how."""
    for step in steps:
        took = f"{step.seconds:7.1f} s" if step.seconds else " " * 9
        yield f"  {'FAILED' if step.failure else 'ok':7}{step.name:52}{took}"
        if step.failure:
            yield f"         {step.failure}"


if __name__ == "__main__":
    sys.exit(main())
