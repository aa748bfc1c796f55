"""The proof: load an adapter by its card in a clean process, and take what it predicts."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .plugins.hookspecs import Loading
from .plugins.manager import plugins
from .registry.cache import ModelCache
from .registry.card import first_python_block
from .registry.errors import BadData, NotReproduced, Refused
from .registry.facts import Facts
from .registry.rooms import temporary_room
from .transfer.agreement import LOGIT_TOLERANCE
from .transfer.progress import Progress, silent
from .transfer.resources import MOST_KEPT
from .transfer.split import evenly

# As `keep_freed_memory` does in a process of hubtl's own.
KEEP_MEMORY = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(MOST_KEPT))
WRITTEN = 8  # rows to write on where each is judged without: each takes as long as many
NO_COMMIT = "0" * 40  # of a folder that is on no hub
SCRIPT = Path(__file__).with_name("clean.py")


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the clean process said: labels and logits of the inputs, and the probe's logits.

    `kept` is what it answered where it was asked what it still can.
    """

    labels: list[Any]
    logits: list[list[float]]
    probe: list[list[float]]
    ways: Mapping[str, str]
    kept: list[Any] = field(default_factory=list)


def loading(facts: Facts, address: str | None = None) -> Loading:
    """Return what code needs to load a folder with these facts."""
    return Loading(
        address or facts.address or "",
        facts.base,
        facts.base_revision,
        facts.labels,
        facts.inputs,
        facts.options,
    )


def card_code(folder: Path, facts: Facts) -> str:
    """Return the card's first Python block; raises Refused where it isn't hubtl's own.

    A card is somebody's text: what it says to run is run only if it is, to the letter, what hubtl
    writes for this folder.
    """
    card = folder / "README.md"
    code = first_python_block(card.read_text("utf-8") if card.is_file() else "")
    try:
        ours = plugins().task(facts.task).snippet(folder, loading(facts))
    except (ValueError, TypeError, KeyError) as error:
        raise BadData(
            f"`{folder}` does not tell how it is loaded: {error}", "adapt again"
        ) from error
    if code.strip() != ours.strip():
        raise Refused(
            f"the Python block in `{card}` is not the one hubtl writes, so hubtl does not run it",
            "read it and run it yourself, or have it published again with this hubtl",
        )
    return code


def predict_in_clean_process(
    code: str,
    models: Mapping[str, tuple[str, Path]],
    inputs: Sequence[str],
    *,
    at: Path | None = None,
    probe: Sequence[str] = (),
    ways: Mapping[str, str] | None = None,
    step: str = "proving",
    progress: Progress = silent,
    said: Callable[[Any], str] = str,
    kept: Mapping[str, Any] | None = None,
    true: Sequence[str] = (),
    written: Sequence[int] | None = None,
    near: float = LOGIT_TOLERANCE,
) -> Predicted:
    """Run a card's code in a process without hubtl, with an empty cache that has just `models`.

    `models` maps an id to (revision, folder), and `said` what the code answers to a label. The code
    is run in the folder `at`, or where this process is. `kept` is the code by which it is asked
    what it still can, and the inputs. Code that can tell how probable it finds labels is asked that
    of `true`, those of the inputs, and says labels of its own only for the numbers in `written`,
    else for some. Nothing is asked of any network. Raises NotReproduced where the code fails, with
    its last words.
    """
    with temporary_room("hubtl-proof-") as room:
        cache = ModelCache(room / "hub")
        for model, (revision, folder) in models.items():
            cache.link(model, folder, revision)
        job, result = room / "job.json", room / "result.json"
        wanted = {
            "code": code,
            "inputs": list(inputs),
            "true": list(true),
            "written": evenly(len(inputs), WRITTEN) if written is None else list(written),
            "probe": list(probe),
            "ways": ways or {},
            "kept": kept,
            "near": near,
        }
        job.write_text(json.dumps(wanted), "utf-8")
        words = [str(job), str(result)]
        _run(words, _environment(room), at, len(inputs), step, progress)
        found = Predicted(**json.loads(result.read_text("utf-8")))
        return replace(found, labels=[said(each) for each in found.labels])


def _run(
    arguments: list[str],
    environment: dict[str, str],
    at: Path | None,
    total: int,
    step: str,
    progress: Progress,
) -> None:
    progress(step, 0, total)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as noise:
        with subprocess.Popen(
            [sys.executable, "-P", str(SCRIPT), *arguments],
            env=environment,
            cwd=at,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=noise,
            text=True,
        ) as process:
            try:
                for done in _heard(process):
                    progress(step, done, total)
                status = process.wait()
            finally:
                process.kill()
        if status != 0:
            noise.seek(0)
            last = [line for line in noise.read().splitlines() if line.strip()][-1:]
            raise NotReproduced(
                f"the card's code does not run in a clean process: {(last or ['no word'])[0]}",
                "run the card's first Python block by hand to see more",
            )


def _heard(process: subprocess.Popen[str]) -> Iterator[int]:
    """Yield how many inputs are done, each second until the process ends: a clock may be asked."""
    lines: queue.Queue[str] = queue.Queue()
    stdout = process.stdout
    assert stdout is not None, "it was asked for"

    def listen() -> None:
        for line in stdout:
            lines.put(line)
        lines.put("")

    threading.Thread(target=listen, daemon=True).start()
    done, line = 0, " "
    while line:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=1)
            if line.startswith("done "):
                done = int(line.split()[1])
        yield done


def _environment(room: Path) -> dict[str, str]:
    """Return the environment of the clean process: an empty cache, no token, no network."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HF_", "HUGGING", "HUBTL_", "TRANSFORMERS_"))
    }
    return {
        **kept,
        "HF_HOME": str(room / "home"),
        "HF_HUB_CACHE": str(room / "hub"),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "PYTHONUTF8": "1",
        **KEEP_MEMORY,
        # Numbers are those of fp32 on a CPU, which every reader of the card has.
        "CUDA_VISIBLE_DEVICES": "",
    }
