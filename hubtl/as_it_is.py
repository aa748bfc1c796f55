"""Judge a base by what it says before it is adapted, where answers are texts and no classes.

No features tell how well a base will write: how well it writes already does. That a base which
makes fewer mistakes before makes fewer after is likely, and nothing is trained to see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .plugins.retaining import Retaining
from .registry.comparing import LOWER
from .registry.errors import BadOption
from .subject import Request, Subject
from .transfer.goal import Goal
from .transfer.network import Network
from .transfer.said import said_once
from .transfer.scoring import Scored
from .transfer.split import Example
from .transfer.start import Session, features

AS_IT_IS = "as it is"
ABOUT = "the main metric of the base before it is adapted, below zero where less of it is better"
ROWS = 200  # unless more are asked for: to write takes longer than to read


def check_answers(request: Request, subject: Subject) -> None:
    """Raise BadOption where bases can't be ranked: no classes, and none writes as it is."""
    if subject.labels or _writes(subject):
        return
    raise BadOption(
        f"`{request.task}` has no classes to tell apart, and bases are ranked by those",
        f"try them: hubtl adapt {request.task} {request.data} --base ID, from "
        f"`hubtl search --task {request.task}`",
    )


def said_of(
    subject: Subject, base: Path, network: Network, rows: Sequence[Example], session: Session
) -> list[str]:
    """Return what a base says of rows as it is; raises BadOption where it never learnt to."""
    task = subject.task
    assert isinstance(task, Retaining), "or there was nothing to rank by"

    def ask(inputs: Sequence[str]) -> Sequence[str]:
        session.progress("what it says", 0, len(inputs))
        with session.meter.stage("features", len(inputs)):
            said = task.said_by_base(base, inputs)
        if said is None:
            raise BadOption(
                "it never learnt to write, so nothing tells what it would",
                "adapt it, and compare the results: hubtl evaluate --against",
            )
        session.progress("what it says", len(inputs), len(inputs))
        return said

    return said_once(network, [row.input for row in rows], session.shelf, ask)


def said_by_head(
    subject: Subject, network: Network, rows: Sequence[Example], session: Session
) -> list[str]:
    """Return what a base says of rows by the head that comes with it."""
    import torch

    with torch.inference_mode():
        logits = network.head(features(network, [row.input for row in rows], session))
    return subject.goal.likeliest(logits.numpy(), subject.labels)


def scored(goal: Goal, rows: Sequence[Example], said: Sequence[str]) -> Scored:
    """Return the main metric of what was said, the better the higher, and each row's share."""
    name, metric = next(iter(goal.metrics.items()))
    true = [row.label for row in rows]
    value = float(metric(np.array(true), np.array(said), np.ones((1, len(rows))))[0])
    way, shares = -1 if name in LOWER else 1, goal.shares(true, said, value)
    return Scored(way * value, way * shares, {name: value})


def _writes(subject: Subject) -> bool:
    return isinstance(subject.task, Retaining) and subject.task.retention_judged
