"""Run the code of a card in a process that knows nothing of hubtl, and write down what it says.

This file is run as a script, by its path, so that no package of hubtl is imported; whoever tries is
refused. It reads a job (JSON) and writes a result (JSON):

    job     {code, inputs, true, written, ways: {name: code}, probe, near,
             kept: {code, inputs} or null}
    result  {labels, logits, probe: [logits], ways: {name: "works" or what went wrong}, kept}

`true` are the labels that inputs have, or none. Code that defines `nats(inputs, labels)` is asked
what each of those costs it, and only for the inputs of the numbers in `written` what it would say.

Progress goes to stdout, a line `done N` at a time.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

CHUNK = 128
SOME = 16


class NoHubtl:
    """Refuses to import hubtl, wherever it is installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Raise for hubtl, and leave all else to the finders behind."""
        if name.partition(".")[0] == "hubtl":
            raise ModuleNotFoundError("hubtl is not here: a card must load without it", name=name)


def run(code: str) -> dict[str, Any]:
    """Return the names that a piece of code defines."""
    names: dict[str, Any] = {"__name__": "card"}
    exec(compile(code, "the card's Python block", "exec"), names)  # noqa: S102
    return names


def rows_of(values: Iterable[Iterable[float]]) -> list[list[float]]:
    """Return logits as plain lists of numbers."""
    return [[float(x) for x in row] for row in values]


def best(names: dict[str, Any], row: Sequence[float]) -> Any:
    """Return the label that logits mean: as the code chooses, else that of the highest one."""
    if "choose" in names:
        return names["choose"](row)
    return names["labels"][max(range(len(row)), key=row.__getitem__)]


def answers(names: dict[str, Any], inputs: Sequence[str]) -> tuple[list[Any], list[list[float]]]:
    """Return (labels, logits) of inputs: as the code answers, else by its logits."""
    if "answers" in names:
        labels, logits = names["answers"](inputs)
        return list(labels), rows_of(logits)
    logits = rows_of(names["logits"](inputs))
    return [best(names, row) for row in logits], logits


def cost(names: dict[str, Any], inputs: Sequence[str], true: Sequence[str]) -> list[list[float]]:
    """Return for each label that inputs have its mean log probability a token, and its tokens."""
    return [[-nats / tokens, float(tokens)] for nats, tokens in names["nats"](inputs, true)]


def judge_all(
    names: dict[str, Any], inputs: Sequence[str], true: Sequence[str], written: Sequence[int]
) -> tuple[list[Any], list[Any]]:
    """Return (labels, logits): a label is [what is said of an input, nats, tokens]."""
    logits: list[list[float]] = []
    for start in range(0, len(inputs), SOME):
        some = slice(start, start + SOME)
        logits += cost(names, inputs[some], true[some])
        print("done", len(logits), flush=True)
    said = dict(zip(written, names["predict"]([inputs[n] for n in written]), strict=True))
    labels = [[said.get(n, ""), -mean * tokens, tokens] for n, (mean, tokens) in enumerate(logits)]
    return labels, logits


def predict_all(names: dict[str, Any], inputs: Sequence[str]) -> tuple[list[Any], list[Any]]:
    """Return (labels, logits) of all inputs, in their order; near lengths go together."""
    order = sorted(range(len(inputs)), key=lambda number: -len(inputs[number]))
    labels: list[Any] = [None] * len(inputs)
    logits: list[Any] = [None] * len(inputs)
    done = 0
    for start in range(0, len(order), CHUNK):
        numbers = order[start : start + CHUNK]
        chunk = [inputs[number] for number in numbers]
        said, scores = answers(names, chunk)
        for number, label, row in zip(numbers, said, scores, strict=True):
            labels[number], logits[number] = label, row
        done += len(numbers)
        print("done", done, flush=True)
    # `predict` is what people will call, so it must say what the logits say.
    few = inputs[:SOME]
    if few and names["predict"](few) != answers(names, few)[0]:
        raise SystemExit("`predict` of the card does not say what was measured by it")
    return labels, logits


def attempt(code: str, probe: Sequence[str], wanted: list[list[float]], near: float) -> str:
    """Return "works", or in one line why another way of loading does not."""
    try:
        found = rows_of(run(code)["logits"](probe))
    except Exception as error:
        return f"does not: {type(error).__name__}: {str(error).splitlines()[0][:200]}"
    gap = max(
        abs(a - b)
        for xs, ys in zip(found, wanted, strict=True)
        for a, b in zip(xs, ys, strict=True)
    )
    return "works" if gap < near else f"differs by {gap:.3g}"


def retained(names: dict[str, Any], asked: dict[str, Any]) -> list[Any]:
    """Return what a model answers to code that runs behind its card's, and may change its names."""
    exec(compile(asked["code"], "what is asked of the card", "exec"), names)  # noqa: S102
    return list(names["kept"](asked["inputs"]))


def main(job_path: str, result_path: str) -> None:
    """Do the job in the first file and write the result to the second."""
    sys.meta_path.insert(0, NoHubtl())
    job = json.loads(Path(job_path).read_text("utf-8"))
    names = run(job["code"])
    judges, inputs, true = "nats" in names, job["inputs"], job["true"]
    if judges and true:
        labels, logits = judge_all(names, inputs, true, job["written"])
    else:
        labels, logits = predict_all(names, inputs)
    probe = []
    if job["probe"]:
        ask = job["probe"]
        alone = [each.strip() for each in ask]
        probe = cost(names, ask, alone) if judges else answers(names, ask)[1]
    ways = {
        name: attempt(code, job["probe"], probe, job["near"]) for name, code in job["ways"].items()
    }
    kept = retained(names, job["kept"]) if job["kept"] else []
    result = {"labels": labels, "logits": logits, "probe": probe, "ways": ways, "kept": kept}
    Path(result_path).write_text(json.dumps(result), "utf-8")


main(*sys.argv[1:])
