"""One candidate on some rows: its features made once, and what each scorer says of them."""

from __future__ import annotations

import dataclasses
import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .candidates import Candidate, told
from .job import job_of
from .learning import network_of, session_of
from .plugins.manager import plugins
from .plugins.scoring import judges, score
from .registry.errors import BadData
from .sources import pull
from .subject import Request, Subject
from .transfer.choices import Choices
from .transfer.meter import Meter
from .transfer.network import Network
from .transfer.progress import Progress
from .transfer.scoring import Sample, Scored, sample_of
from .transfer.split import Example, Split, joined
from .transfer.start import Session, features
from .transfer.views import viewed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rated:
    """What scorers say of a candidate on `rows` rows, and what that took.

    `loading` and `scoring` are seconds, `pace` those that the features of a row took: None where
    all were kept from before. `params` are those of the body.
    """

    candidate: Candidate
    scores: Mapping[str, Scored]
    silent: Mapping[str, str]
    params: int
    rows: int
    loading: float
    scoring: float
    pace: float | None
    spent: float
    revision: str
    upon: str | None

    @property
    def id(self) -> str:
        """The candidate's id."""
        return self.candidate.known.id


def rate(
    candidate: Candidate,
    request: Request,
    subject: Subject,
    chunks: Sequence[Split],
    progress: Progress,
) -> Rated:
    """Return what scorers say of a candidate by the rows of all chunks.

    The features of each chunk are kept together. Raises whatever stands in its way.
    """
    job = job_of(request, subject, candidate.there(), Path(), "", warnings=())
    base = pull(job.source, job.base, progress=progress)
    began = time.perf_counter()
    meter = Meter()
    network = network_of(job, base, progress)
    loading = time.perf_counter() - began
    try:
        session = session_of(job, request.seed, Choices(), meter)
        session = dataclasses.replace(session, progress=progress)
        found = _features(network, chunks, session)
        params = sum(each.numel() for each in network.body.parameters())
    finally:
        del network  # two of them at once may be more than memory holds
        gc.collect()
    rows = rows_of(chunks)
    sample = sample_of(
        found,
        subject.goal.targets([row.label for row in rows], subject.labels),
        groups=session.groups(rows),
        seed=request.seed,
    )
    began_scoring = time.perf_counter()
    scores, silent = _scores(sample)
    now = time.perf_counter()
    made = meter.seconds.get("features", 0.0)
    return Rated(
        candidate, scores, silent, params, len(rows), loading, now - began_scoring,
        made / len(rows_of(chunks[-1:])) if made else None, now - began,
        job.base.revision or "", job.upon.name if job.upon else None,
    )  # fmt: skip


def rows_of(chunks: Sequence[Split]) -> list[Example]:
    """Return the rows of all chunks that are learnt from, in order."""
    return [row for chunk in chunks for row in joined(chunk.train, chunk.validation)]


def _features(network: Network, chunks: Sequence[Split], session: Session) -> NDArray[np.float32]:
    """Return what the head would see of each row, of its first view where there are several."""
    import numpy as np

    found = []
    for chunk in chunks:
        mine = dataclasses.replace(session, train=chunk.train, validation=chunk.validation)
        seen = viewed(mine, network)
        made = features(network, seen.inputs, seen).numpy()
        trained = len(seen.train)
        found += [made[: trained : network.views], made[trained:]]
    return np.concatenate(found)


def _scores(sample: Sample) -> tuple[dict[str, Scored], dict[str, str]]:
    """Return what each scorer says that can judge such rows, and why others say nothing."""
    scores: dict[str, Scored] = {}
    silent: dict[str, str] = {}
    for name, scorer in plugins().scorers.items():
        if not judges(scorer, sample.kind):
            continue
        try:
            scores[name] = score(scorer, sample)
        except Exception as error:  # a scorer may be anybody's: the others go on, and it is told
            silent[name] = told(error)
    if not scores:
        why = "; ".join(f"{name}: {each}" for name, each in silent.items()) or "there is none"
        raise BadData(f"no scorer can judge these rows: {why}", "see `hubtl plugins`")
    return scores, silent
