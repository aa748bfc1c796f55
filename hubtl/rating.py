"""One candidate on some rows: its features made once, and what each scorer says of them.

Where answers are texts, what it says as it is takes their place.
"""

from __future__ import annotations

import dataclasses
import gc
import itertools
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .as_it_is import AS_IT_IS, said_by_head, said_of, scored
from .candidates import Candidate, told
from .job import Job, job_of
from .learning import network_of, session_of
from .plugins.manager import plugins
from .plugins.scoring import judges, score
from .ranked import Related
from .registry.errors import BadData, BadOption
from .relatedness import related_to
from .sources import pull
from .subject import Request, Subject
from .transfer.choices import Choices
from .transfer.evidence import evidence
from .transfer.layerwise import LOOK
from .transfer.meter import Meter
from .transfer.network import Network
from .transfer.placed import Placed, by_row
from .transfer.progress import Progress
from .transfer.scoring import Layers, Sample, Scored, by_layer, sample_of
from .transfer.split import Example, Split, joined
from .transfer.start import Session, frozen
from .transfer.trunk import Trunk
from .transfer.views import viewed

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rated:
    """What scorers say of a candidate on `rows` rows, and what that took.

    `loading` and `scoring` are seconds, `pace` those that the features of a row took: None where
    all were kept from before. `params` are those of the body. `layers` is what each layer scores,
    where features were made to be ranked by.
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
    layers: Layers | None = None
    related: Related = Related()

    @property
    def id(self) -> str:
        """The candidate's id."""
        return self.candidate.id


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
        rows = rows_of(chunks)
        fits = subject.fits_head
        made = _made(network, subject, chunks, session) if fits else []
        said = [] if fits else _said(subject, job, base, network, chunks, session)
        params = sum(each.numel() for each in network.body.parameters())
    finally:
        body = weakref.ref(network.body)
        del network  # two of them at once may be more than memory holds
        if body() is not None:  # some are in a circle; to look for those takes a while
            gc.collect()
    began_scoring = time.perf_counter()
    scores, silent, layers = (
        _by_features(subject, made, chunks, session)
        if fits
        else ({AS_IT_IS: scored(subject.goal, rows, said)}, {}, None)
    )
    scored_at = time.perf_counter()
    try:
        related = related_to(candidate.known, subject.task, base, rows, subject.domain)
    except Exception as error:  # a task may be anybody's, and this counts for nothing
        related, silent["related"] = Related(), told(error)
    now = time.perf_counter()
    making = meter.seconds.get("features", 0.0)
    loading += now - scored_at  # which rows have no say in either
    return Rated(
        candidate, scores, silent, params, len(rows), loading, scored_at - began_scoring,
        making / len(rows_of(chunks[-1:])) if making else None, now - began,
        job.base.revision or "", job.upon.name if job.upon else None, layers, related,
    )  # fmt: skip


def rows_of(chunks: Sequence[Split]) -> list[Example]:
    """Return the rows of all chunks that are learnt from, in order."""
    return [row for chunk in chunks for row in joined(chunk.train, chunk.validation)]


@dataclass(frozen=True, slots=True)
class _Made:
    """What the head would see of a chunk's rows, and what layers make of those in `looked`.

    Where it judges the places of a row, these are rows of features, and `places` the row of each.
    """

    features: NDArray[np.float32]
    targets: NDArray[Any]
    looked: NDArray[np.int64]
    layers: Sequence[NDArray[np.float32]]
    places: NDArray[np.int64] | None = None


def _made(
    network: Network, subject: Subject, chunks: Sequence[Split], session: Session
) -> list[_Made]:
    """Return the features of each chunk, of a row's first view where there are several."""
    found: list[_Made] = []
    for chunk in chunks:
        mine = dataclasses.replace(session, train=chunk.train, validation=chunk.validation)
        rows = rows_of([chunk])
        inputs = [row.input for row in rows]
        targets = subject.goal.targets([row.label for row in rows], subject.labels)
        most = max(0, LOOK - sum(len(each.features) for each in found))
        whole = subject.goal.whole
        views = viewed(mine, network).inputs
        trunk = frozen(network, views, session, inputs, most if whole else 0)
        numbers = trunk.rows_of(inputs)
        if whole:
            assert trunk.pooled is not None, "a candidate gives one row of each input"
            found.append(_Made(trunk.pooled[numbers], targets, *trunk.by_layer(inputs)))
        else:
            found.append(_of_places(trunk, numbers, targets, subject))
    return found


def _of_places(
    trunk: Trunk, numbers: NDArray[np.int64], targets: NDArray[Any], subject: Subject
) -> _Made:
    """Return the features of the places of rows, as far as they are kept."""
    goal = subject.goal
    assert isinstance(goal, Placed) and trunk.placed, "the head is asked of places"
    alike = np.ones(len(goal.outputs(subject.labels)))
    some = trunk.placed.labelled(goal, numbers, targets, alike, None)
    assert some.groups is not None, "places are of rows"
    nothing = np.zeros(0, np.int64)
    return _Made(some.features[some.rows], some.targets, nothing, (), some.groups)


def _said(
    subject: Subject, job: Job, base: Path, network: Network, chunks: Sequence[Split], s: Session
) -> list[str]:
    """Return what a base says of the rows of all chunks, kept a chunk at a time."""
    if subject.goal.given:
        own = (said_by_head(subject, network, rows_of([chunk]), s) for chunk in chunks)
        return list(itertools.chain(*own))
    if job.upon:
        why = f"`{job.upon.name}` is an adapter, and only whole models are asked what they write"
        raise BadOption(why, f"name what it is made of: --candidates {job.base.id}")
    parts = (said_of(subject, base, network, rows_of([chunk]), s) for chunk in chunks)
    return list(itertools.chain(*parts))


def _by_features(
    subject: Subject, made: Sequence[_Made], chunks: Sequence[Split], session: Session
) -> tuple[dict[str, Scored], dict[str, str], Layers | None]:
    """Return what scorers say of features, why others say nothing, and what layers score."""
    rows = rows_of(chunks)
    targets = np.concatenate([each.targets for each in made])
    features = np.concatenate([each.features for each in made])
    groups = session.groups(rows)
    if subject.goal.whole:
        sample = sample_of(features, targets, groups=groups, seed=session.seed)
        return *_scores(sample), _layers(made, targets)
    starts = np.cumsum([0, *(len(rows_of([chunk])) for chunk in chunks)])
    of = [start + each.places for start, each in zip(starts, made, strict=False)]
    places = np.concatenate(of)
    bound = places if groups is None else groups[places]
    scores, silent = _scores(sample_of(features, targets, groups=bound, seed=session.seed))
    return {name: by_row(each, places, len(rows)) for name, each in scores.items()}, silent, None


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


def _layers(made: Sequence[_Made], targets: NDArray[Any]) -> Layers | None:
    """Return what the layers score by the rows that were looked at; None where none was.

    It is only to be looked at: what can't be scored is not known.
    """
    starts = np.cumsum([0, *(len(each.features) for each in made)])
    rows = np.concatenate([start + each.looked for start, each in zip(starts, made, strict=False)])
    seen = [each.layers for each in made if each.layers]
    if not seen or not all(np.isfinite(each).all() for each in itertools.chain(*seen)):
        return None
    layers = [np.concatenate(part) for part in zip(*seen, strict=True)]
    try:
        return by_layer(layers, sample_of(layers[-1], targets[rows]), evidence)
    except BadData:
        return None
