"""Find entries by words and filters, best first, and say why others were left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .comparing import comparable
from .entry import Entry, Found, LeftOut, Query
from .licences import Licence

SYNONYMS: Mapping[str, str] = {
    "sentiment": "text-classification",
    "topic": "text-classification",
    "intent": "text-classification",
    "ner": "token-classification",
    "asr": "automatic-speech-recognition",
    "transcribe": "automatic-speech-recognition",
    "transcription": "automatic-speech-recognition",
    "image": "image-classification",
    "picture": "image-classification",
    "vision": "image-classification",
    "photo": "image-classification",
    "audio": "audio-classification",
    "sound": "audio-classification",
    "speech": "audio-classification",
    "embedding": "sentence-similarity",
}
ALLOWS = ("commercial", "derivatives")


def find(
    entries: Iterable[Entry],
    query: Query,
    licences: Mapping[str, Licence],
    *,
    date: str,
    memory_bytes: int = 0,
) -> Found:
    """Return the entries that a query asks for, best first; `memory_bytes` is for `fits`."""
    known = list(entries)
    scored = [(relevance(entry, query.words), entry) for entry in known]
    hits, left_out = [], []
    for score, entry in scored:
        if score <= 0:
            continue
        why = why_not(entry, query, licences, memory_bytes)
        if why:
            left_out.append(LeftOut(entry.id, why))
        else:
            hits.append((score, entry))
    hits.sort(
        key=lambda hit: (-hit[0], hit[1].hub != "starter", hit[1].params or 10**15, hit[1].id)
    )
    found = tuple(entry for _, entry in hits[: query.limit])
    alike = tuple(tuple(entry.id for entry in group) for group in comparable(found))
    return Found(found, tuple(left_out), len(known), date, comparable=alike)


def relevance(entry: Entry, words: str) -> float:
    """Return how well an entry fits the words: 0 not at all, more is better; 1 without words."""
    asked = re.findall(r"[\w.+-]+", words.casefold())
    if not asked:
        return 1.0
    if words.strip().casefold() == entry.id.casefold():
        return 1000.0
    name = entry.id.casefold()
    weights = (
        (set(re.split(r"[/_.-]", name)), 4.0),
        ({*entry.domains, *entry.tasks, *entry.tags, *entry.languages}, 3.0),
        ({entry.architecture or "", entry.licence or ""}, 2.0),
        (set(re.findall(r"[\w+-]+", entry.about.casefold())), 1.0),
    )
    total = 0.0
    for word in asked:
        meant = SYNONYMS.get(word, word)
        score = max((weight for names, weight in weights if {word, meant} & names), default=0.0)
        if not score and (
            word in name or any(word in text for text in (*entry.domains, *entry.tasks))
        ):
            score = 0.5
        if not score:
            return 0.0
        total += score
    return total


def why_not(
    entry: Entry, query: Query, licences: Mapping[str, Licence], memory_bytes: int
) -> str | None:
    """Return why a filter of the query excludes the entry, or None."""
    licence = licences.get(entry.licence or "")
    checks = (
        (query.kind and entry.kind != query.kind, f"it is {_article(entry.kind)}"),
        (query.task and query.task not in entry.tasks, f"not for {query.task}"),
        (query.domain and query.domain not in entry.domains, f"not of the domain {query.domain}"),
        (query.language and query.language not in entry.languages, f"not for `{query.language}`"),
        (query.licence and query.licence != entry.licence, f"licence {entry.licence or 'unknown'}"),
        (
            query.allows and not (licence and getattr(licence, query.allows)),
            f"licence {entry.licence or 'unknown'} is not known to allow {query.allows}",
        ),
        (
            query.max_params and (entry.params or 10**15) > query.max_params,
            f"{entry.params:,} parameters" if entry.params else "parameters unknown",
        ),
        (
            # Weights, gradients, two Adam moments and activations: about six times the weights.
            query.fits and (entry.params or 10**15) * 4 * 6 > memory_bytes,
            "too large to fine-tune in this machine's memory"
            if entry.params
            else "parameters unknown",
        ),
        (
            query.base and query.base not in entry.parents,
            f"not made from {query.base}",
        ),
        (
            query.organisation and query.organisation != entry.organisation,
            f"of {entry.organisation or 'nobody'}",
        ),
    )
    return next((why for excludes, why in checks if excludes), None)


def _article(kind: str) -> str:
    return f"{'an' if kind == 'adapter' else 'a'} {kind}"
