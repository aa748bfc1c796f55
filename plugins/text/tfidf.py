"""The plain rivals of every text model: TF-IDF of words or of letters, and a linear model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...transfer.split import Example, Split, at_most, joined
from ..rivals import commonest, labels_by, numbers_by

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

STRENGTHS = (1.0, 10.0, 100.0)
LETTERS = {"analyzer": "char_wb", "ngram_range": (1, 4)}
MOST = 10_000  # rows that teach runs of letters, of which a text has twenty times as many as words
BLOCK = 4096  # texts at once
SIGNS = r"(?u)\w+|[^\w\s]+"  # words; a text without any counts its signs
COUNTED: Mapping[str, Mapping[str, Any]] = {
    "tfidf": {"token_pattern": SIGNS},
    "letters": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}


def tfidf_labels(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return the labels that TF-IDF + logistic regression gives the test rows."""
    return labels_by(_model, STRENGTHS, _texts, train, test, seed)


def letters_labels(split: Split, seed: int) -> list[str]:
    """Return the labels that TF-IDF of runs of letters + a linear SVM gives the test rows.

    It tells languages and forms of a word apart, which words do not, and learns from 10,000 rows at
    most.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    few, test = at_most(split, MOST, seed), split.test
    rows = joined(few.train, few.validation)
    if len({row.label for row in rows}) < 2:  # then there is nothing to learn
        return commonest(rows, test)
    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, **LETTERS), LinearSVC(random_state=seed)
    ).fit(_texts(rows), [row.label for row in rows])
    starts = range(0, len(test), BLOCK)
    return [
        str(label)
        for start in starts
        for label in model.predict(_texts(test[start : start + BLOCK]))
    ]


def tfidf_numbers(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return the numbers that TF-IDF + ridge regression gives the test rows."""
    return numbers_by(_ridge, _texts, train, test, seed)


def tfidf_cosines(
    learnt: Sequence[str], first: Sequence[str], second: Sequence[str]
) -> dict[str, list[float]]:
    """Return how alike two texts are by TF-IDF, of words and of runs of letters, of other texts."""
    return {name: _cosines(by, learnt, first, second) for name, by in COUNTED.items()}


def _cosines(
    by: Mapping[str, Any], learnt: Sequence[str], first: Sequence[str], second: Sequence[str]
) -> list[float]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    counts = TfidfVectorizer(sublinear_tf=True, **by).fit(learnt)  # whose rows are of length one
    both = counts.transform(first).multiply(counts.transform(second)).sum(axis=1)
    found: list[float] = both.A1.tolist()
    return found


def _texts(rows: Sequence[Example]) -> list[str]:
    return [row.input for row in rows]


def _model(strength: float) -> Pipeline:
    from sklearn.linear_model import LogisticRegression

    return _over_words(LogisticRegression(C=strength, max_iter=300))


def _ridge(alpha: float) -> Pipeline:
    from sklearn.linear_model import Ridge

    return _over_words(Ridge(alpha=alpha))


def _over_words(model: object) -> Pipeline:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    # On the example, words alone beat words and pairs: .54 to .47 with 8 rows a class, .81 to
    # .80 with all. The rival should be a strong one.
    words = TfidfVectorizer(sublinear_tf=True, token_pattern=SIGNS)
    return make_pipeline(words, model)
