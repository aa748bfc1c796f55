"""How many repositories there are of each task, domain, library and owner, as far as one sees."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, and_, func, literal, or_, select, union_all

from ..registry.domains import STATED
from .access import Caller
from .database import Database
from .finding import Wanted, fitting, seen_by
from .schema import accounts, repo_tags, repos

MOST = 20  # values of a facet that are told
# What loads a model stands among its tags, as a word that no prefix tells from others.
LIBRARIES = (
    "peft transformers sentence-transformers setfit timm diffusers spacy flair keras tf-keras "
    "onnx gguf open_clip ultralytics scikit-learn fastai stable-baselines3 nemo speechbrain "
    "espnet pyannote-audio allennlp adapter-transformers span-marker bertopic mlx fasttext"
).split()
KEPT = 256  # counts of one database
# A question that narrows is counted among so many of what fits, the first in its order: that takes
# as long with a million repositories as with a thousand.
MOST_COUNTED = 500
OF_FACETS = or_(
    and_(repo_tags.c.tag > STATED, repo_tags.c.tag < f"{STATED[:-1]};"),
    repo_tags.c.tag.in_(LIBRARIES),
)
# The same, said so that the tags of some repositories are looked through, not all such tags.
THEIRS = or_(func.substr(repo_tags.c.tag, 1, len(STATED)) == STATED, repo_tags.c.tag.in_(LIBRARIES))
Counted = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Facets:
    """What fits a question: how many, and of which kinds, the most frequent first.

    With `more` there may be more than were counted.
    """

    total: int
    tasks: Counted
    domains: Counted
    libraries: Counted
    owners: Counted
    more: bool = False


class Kept:
    """Counts of one database, each made once and kept until anything is committed to it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._stamp = ""
        self._found: OrderedDict[Hashable, Facets] = OrderedDict()

    def get(self, stamp: str, key: Hashable) -> Facets | None:
        """Return counts of the database as it was at a stamp, and forget those of before."""
        with self._turn:
            if stamp != self._stamp:
                self._found.clear()
                self._stamp = stamp
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def keep(self, stamp: str, key: Hashable, found: Facets) -> None:
        """Keep counts, and let go of those that were not asked for longest."""
        with self._turn:
            if stamp == self._stamp:
                self._found[key] = found
                while len(self._found) > KEPT:
                    self._found.popitem(last=False)


KEPT_OF: WeakKeyDictionary[Database, Kept] = WeakKeyDictionary()


def facets_of(database: Database, caller: Caller, wanted: Wanted) -> Facets:
    """Return the counts of what fits and the caller may see, as the database is now."""
    asked = dataclasses.replace(wanted, after=None)
    kept, key = KEPT_OF.setdefault(database, Kept()), (caller.id, caller.token, repr(asked))
    stamp = database.stamp()  # before the look: what is kept may be newer than it, but not older
    found = kept.get(stamp, key)
    if found is None:
        narrow = asked != Wanted(asked.kind, sort=asked.sort)
        with database.reading() as db:
            found = of_some(db, caller, asked) if narrow else whole(db, caller, asked.kind)
        kept.keep(stamp, key, found)
    return found


def whole(db: Connection, caller: Caller, kind: str) -> Facets:
    """Return the counts of all repositories of a kind that the caller may see."""
    seen, number = (repos.c.kind == kind, seen_by(caller)), func.count()
    total = db.execute(select(number).where(*seen)).scalar_one()
    tasks = select(repos.c.task, number).where(*seen, repos.c.task.is_not(None))
    mine = select(repos.c.owner_id, number.label("many")).where(*seen).group_by(repos.c.owner_id)
    top = mine.order_by(number.desc()).limit(MOST).subquery()
    owners = select(accounts.c.name, top.c.many).join(top, top.c.owner_id == accounts.c.id)
    inside = repo_tags.c.repo_id.in_(select(repos.c.id).where(*seen))
    tags = select(repo_tags.c.tag, number).where(inside, OF_FACETS).group_by(repo_tags.c.tag)
    counted = Counter({tag: many for tag, many in db.execute(tags)})
    return Facets(
        total=total,
        tasks=_most(Counter({str(t): n for t, n in db.execute(tasks.group_by(repos.c.task))})),
        domains=_domains(counted),
        libraries=_libraries(counted),
        owners=_most(Counter({name: many for name, many in db.execute(owners)})),
    )


def of_some(db: Connection, caller: Caller, wanted: Wanted) -> Facets:
    """Return the counts of the first that fit and that the caller may see, by one question."""
    first = fitting(db, caller, wanted, MOST_COUNTED).cte("first")
    number = func.count()
    named = select(literal("owner"), accounts.c.name, number)
    tags = select(literal("tag"), repo_tags.c.tag, number)
    counted = union_all(
        select(literal("task"), first.c.task, number).group_by(first.c.task),
        named.join(first, first.c.owner_id == accounts.c.id).group_by(accounts.c.name),
        tags.where(repo_tags.c.repo_id.in_(select(first.c.id)), THEIRS).group_by(repo_tags.c.tag),
    )
    found: dict[str, Counter[str]] = {"task": Counter(), "owner": Counter(), "tag": Counter()}
    total = 0
    for sort, name, many in db.execute(counted):
        total += many if sort == "owner" else 0
        if name:
            found[sort][name] = many
    return Facets(
        total=total,
        tasks=_most(found["task"]),
        domains=_domains(found["tag"]),
        libraries=_libraries(found["tag"]),
        owners=_most(found["owner"]),
        more=total == MOST_COUNTED,
    )


def _domains(counted: Counter[str]) -> Counted:
    stated = {tag[len(STATED) :]: n for tag, n in counted.items() if tag.startswith(STATED)}
    return _most(Counter(stated))


def _libraries(counted: Counter[str]) -> Counted:
    return _most(Counter({tag: n for tag, n in counted.items() if not tag.startswith(STATED)}))


def _most(counted: Counter[str]) -> Counted:
    return tuple(sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:MOST])
