"""Rank bases on the user's own rows to learn from; nothing is trained, no test row is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .as_it_is import ABOUT, AS_IT_IS, ROWS, check_answers
from .candidates import LIMIT, Candidate, Candidates, find_candidates, none_judged, told
from .clock import Clock
from .counsel import advice
from .job import check_recipe
from .ladder import AUTO, WITHOUT_CLASSES
from .page import check_page
from .plugins.manager import plugins
from .ranked import Ranked, Ranking
from .rating import Rated, rate, rows_of
from .registry.comparing import DIGITS
from .registry.entry import LeftOut, Query
from .registry.errors import BadOption, HubtlError, OutOfTime
from .registry.fingerprint import rows_fingerprint
from .relatedness import language_of
from .remembering import recalled, recalled_scores, remember_scores
from .rounds import chunks_of, next_round, rows_of_places, sizes_of
from .standings import Earlier, Standings, by_score, listed, standings
from .subject import Request, Subject, find_recipes, read_subject
from .transfer.progress import Progress, silent
from .transfer.quiet import quiet_libraries
from .transfer.split import Split, contents_of, joined


def rank(
    task: str,
    data: str | os.PathLike[str],
    *,
    recipe: str = "",
    candidates: Sequence[str] = (),
    query: str = "",
    rows: int | None = None,
    time_budget: str | None = None,
    test: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    seed: int = 0,
    hub: str | None = None,
    device: str | None = None,
    report: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
    **filters: object,
) -> Ranking:
    """Return candidates for a task, best first, by rows that `adapt` would train on.

    The recipe that they are to be adapted by is the one that the task prefers where none is named.
    They are named, or found by the words of `query` or on `hub`, else those that are here. Filters
    are fields of `Query`: domain, language, licence, allows, max_params, fits, limit. A candidate
    that fails is told in the result. `report` is where to write a page to look at. Raises the
    HubtlError that says what is wrong with the request, and OutOfTime where the budget is up before
    any was judged.
    """
    if rows is not None and rows < 2:
        raise BadOption(f"`--rows {rows}` are too few to tell anything by", "such as --rows 200")
    request = Request(
        task, Path(data), recipe=recipe, test=Path(test) if test else None, columns=columns or {},
        options=options or {}, seed=seed, hub=hub, device=device, time_budget=time_budget,
    )  # fmt: skip
    if report:
        check_page(Path(report), "--report")
    asked = Query(query, task=task, **{"limit": LIMIT, **filters})  # type: ignore[arg-type]
    recipes = find_recipes(request)
    found = find_candidates(candidates, asked, hub)
    subject = read_subject(request, recipes)
    check_answers(request, subject)
    if recipe and len(recipes) == 1:
        check_recipe(recipes[0], subject)
    if not subject.fits_head and not recipe:  # then a recipe that fits no head is meant
        request = replace(request, recipe=WITHOUT_CLASSES[0])
        subject = replace(subject, rungs=find_recipes(request))
    ranking = ranked(request, subject, found, progress, rows)
    if report:
        ranking.write_report(report)
    return ranking


def ranked(
    request: Request,
    subject: Subject,
    found: Candidates,
    progress: Progress,
    rows: int | None = None,
) -> Ranking:
    """Return candidates, best first, by the rows of a subject, within the budget of its clock."""
    with quiet_libraries():
        return _Contest(request, subject, found, rows, progress).ranking()


class _Contest:
    """One ranking: who was rated on which rows so far, and who failed."""

    def __init__(
        self,
        request: Request,
        subject: Subject,
        found: Candidates,
        rows: int | None,
        progress: Progress,
    ) -> None:
        self.request, self.subject, self.found, self.progress = request, subject, found, progress
        self.clock: Clock = subject.clock
        self.seconds: dict[str, float] = {}
        self.failed = list(found.failed)
        self.not_known: list[str] = []
        learning = len(subject.split.train) + len(subject.split.validation)
        budget = self.clock.budget is not None
        self.available = learning
        methods = [rung.method for rung in subject.rungs]
        kept = all(getattr(method, "frozen", False) for method in methods)
        self.frozen = subject.fits_head and kept
        if not rows and not subject.fits_head:
            rows = ROWS
        elif not rows and not subject.goal.whole:
            rows = rows_of_places(joined(subject.split.train, subject.split.validation))
        self.sizes = sizes_of(learning, len(subject.labels), rows, budget=budget)
        strata = subject.goal.divides
        self.chunks = chunks_of(subject.split, self.sizes, request.seed, strata=strata)
        # What was reached on these test rows has no say: they are for the last number.
        self.tested_on = rows_fingerprint(contents_of(subject.split.test))[:DIGITS]
        self.earlier = self._earlier()

    def ranking(self) -> Ranking:
        """Return the ranking, after one round or several."""
        smallest = sorted(self.found.all, key=lambda each: each.known.params or sys.maxsize)
        ordered = self._first(smallest if self.clock.budget is not None else self.found.all)
        done, rounds = 0, [(0, ordered)]
        while further := next_round(ordered, self.sizes, done, self._left()):
            going_on, size = further
            again = self._again(going_on, size)
            if len(again) < 2:
                break
            done, ordered = size, again
            rounds.append((size, ordered))
        return self._told(rounds)

    def _left(self) -> float:
        return 0.0 if self.clock.budget is None else self.clock.budget - self.clock.spent

    def _first(self, candidates: Sequence[Candidate]) -> list[Rated]:
        """Return the candidates that could be judged on the first rows, the best first."""
        rated: list[Rated] = []
        late: OutOfTime | None = None
        for number, each in enumerate(candidates, 1):
            where = f"{number} of {len(candidates)}: {each.id}"
            found = self._rated(each, where, self.chunks[:1], rated)
            if isinstance(found, Rated):
                rated.append(found)
            else:
                self.failed.append(LeftOut(each.id, told(found)))
                late = found if isinstance(found, OutOfTime) else late
        if late and not rated:
            raise late
        if not rated:
            raise none_judged(self.failed, self.request.task)
        return self._ordered(rated)

    def _again(self, going_on: Sequence[Rated], size: int) -> list[Rated]:
        """Return candidates judged on more rows, the best first; none where time runs out."""
        rated: list[Rated] = []
        for number, each in enumerate(going_on, 1):
            where = f"{number} of {len(going_on)} on {self.sizes[size]} rows: {each.id}"
            found = self._rated(each.candidate, where, self.chunks[: size + 1], rated)
            if isinstance(found, OutOfTime):
                return []
            if isinstance(found, Rated):
                rated.append(found)
            else:
                self.failed.append(LeftOut(each.id, told(found)))
        return self._ordered(rated)

    def _rated(
        self, each: Candidate, where: str, chunks: Sequence[Split], before: Sequence[Rated]
    ) -> Rated | Exception:
        """Return a candidate rated, or what stood in the way of that."""
        ahead = f"; ahead: {self._ordered(before)[0].id}" if before else ""

        def report(step: str, done: int, total: int) -> None:
            self._check_time()
            self.progress(f"judging, {where}, {step}{ahead}", done, total)

        if each.known.tested_on == self.tested_on:
            each = replace(each, known=replace(each.known, metrics={}))
        try:
            self._check_time()
            rated = rate(each, self.request, self.subject, chunks, report)
        except Exception as error:  # a stranger's weights can fail in any way: the rest go on
            return error
        self.seconds[each.id] = self.seconds.get(each.id, 0.0) + rated.spent
        return rated

    def _ordered(self, rated: Sequence[Rated]) -> list[Rated]:
        return by_score(rated, self.earlier, frozen=self.frozen)

    def _check_time(self) -> None:
        if self.clock.budget is not None and self.clock.spent >= self.clock.budget:
            budget = self.clock.budget
            why = f"no time was left of the budget of {budget:.0f} s"
            raise OutOfTime(why, "a larger --time-budget, or fewer --candidates")

    def _earlier(self) -> Earlier:
        """Return earlier results, but those on the same data or test rows."""
        try:
            found = recalled(self.request.task, domain=self.subject.domain)
            scores = recalled_scores(self.request.task)
        except HubtlError as error:
            self.not_known.append(f"past results: {error.message}")
            return Earlier()
        own = self.subject.data.fingerprint
        other = [e for e in found if own != e.fingerprint and self.tested_on != e.tested_on]
        return Earlier(other, scores)

    def _remember(self, table: Standings) -> None:
        """Keep what scorers said, to learn from it what they are worth once results are there."""
        data = self.subject.data.fingerprint
        said = {
            (data, each.candidate.known.id.casefold()): {
                name: one.value for name, one in each.scores.items()
            }
            for each in table.rated
            if each.upon is None
        }
        remember_scores(self.request.task, said)

    def _language(self) -> str | None:
        """Return the language of the rows, where the task can tell it."""
        try:
            return language_of(self.subject.task, rows_of(self.chunks))
        except Exception as error:  # a task may be anybody's, and this counts for nothing
            self.not_known.append(f"the language of the rows: {told(error)}")
            return None

    def _told(self, rounds: Sequence[tuple[int, Sequence[Rated]]]) -> Ranking:
        """Return the ranking: who went on further stands before who did not."""
        placed: dict[str, Ranked] = {}
        tables = []
        failed = {each.id for each in self.failed}
        for size, rated in reversed(rounds):
            left = [each for each in rated if each.id not in failed]
            if not left:
                continue
            rows = rows_of(self.chunks[: size + 1])
            seed = self.request.seed
            tables.append(standings(left, rows, self.earlier, seed, frozen=self.frozen))
            for each in listed(tables[-1], self.seconds, final=len(tables) == 1):
                placed.setdefault(each.id, each)
        if not tables:
            raise none_judged(self.failed, self.request.task)
        last, scorers = tables[0], plugins().scorers
        self._remember(last)
        for one in last.rated:
            self.not_known += [f"{name} of {one.id}: {why}" for name, why in one.silent.items()]
        about = {name: getattr(each, "about", "") for name, each in scorers.items()}
        about[AS_IT_IS] = ABOUT
        language = self._language()
        return Ranking(
            self.request.task,
            tuple(placed.values()),
            advice(last, behind=len(placed) > len(last.rated)),
            last.rated[0].rows,
            self.available,
            self.subject.data.columns,
            last.combined.weights,
            {name: about[name] for name in last.combined.weights if name in about},
            last.past_sets,
            tuple(self.failed),
            self.found.left_out,
            tuple(self.not_known),
            round(self.clock.spent, 2),
            domain=self.subject.domain,
            language=language,
            learnt=last.learnt,
            recipe=AUTO if len(self.subject.rungs) > 1 else self.subject.rungs[0].recipe.name,
            frozen=self.frozen,
        )
