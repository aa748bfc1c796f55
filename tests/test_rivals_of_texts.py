"""The plain rivals of texts: what is beaten has to be strong."""

from hubtl.plugins.manager import plugins
from hubtl.transfer.split import Example, Split

ENDINGS = {"ova": "first", "ing": "second", "eur": "third"}
STEMS = [a + b + c for a in "bdfgklmnprst" for b in ("ab", "ed", "il", "on", "ur") for c in "mnrt"]


def said(train, test):
    task = plugins().task("text-classification")
    return task.baselines(Split(train, (), test, ""), 0, None)


def rows(stems):
    return [
        Example(f"{stem}{ending}", f"{stem}{ending} {stem[::-1]}{ending}", label)
        for stem in stems
        for ending, label in ENDINGS.items()
    ]


def right(answers, test):
    return sum(a == row.label for a, row in zip(answers, test, strict=True)) / len(test)


def test_letters_tell_endings_of_words_that_are_all_new():
    train, test = rows(STEMS[::2]), rows(STEMS[1::2])
    answers = said(train, test)
    assert list(answers) == ["majority", "tfidf", "letters"]
    assert right(answers["letters"], test) == 1
    assert right(answers["tfidf"], test) < 0.4, "no word of these was there before"


def test_where_there_is_one_label_every_rival_says_it():
    train = [Example(str(n), f"row {n}", "only") for n in range(3)]
    assert said(train, train) == dict.fromkeys(("majority", "tfidf", "letters"), ["only"] * 3)
