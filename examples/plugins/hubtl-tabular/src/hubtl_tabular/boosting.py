"""The rival of every model of rows: scikit-learn's gradient boosting, on columns as they are."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hubtl.transfer.split import Example

from .rows import columns_of, is_number

MOST = 250  # values of a column of words; scikit-learn takes 255


def boosted(train: Sequence[Example], test: Sequence[Example], seed: int) -> list[str]:
    """Return what boosting says of the test rows, its learning rate chosen by cross-validation.

    Words are categories, the rarest of very many taken for missing, which has a branch of its own.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import GridSearchCV, KFold

    columns = columns_of([row.input for row in train])
    codes = {}
    for name, values in columns.items():
        counts = Counter(str(value) for value in values if value is not None)
        kept = {value: number for number, (value, _) in enumerate(counts.most_common(MOST))}
        codes[name] = None if is_number(values) else kept
    words = [kept is not None for kept in codes.values()]
    model = HistGradientBoostingClassifier(categorical_features=words, random_state=seed)
    folds = KFold(3, shuffle=True, random_state=seed)
    search = GridSearchCV(model, {"learning_rate": [0.03, 0.1, 0.3]}, cv=folds)
    search.fit(_matrix(train, codes), [row.label for row in train])
    return [str(label) for label in search.predict(_matrix(test, codes))]


def _matrix(rows: Sequence[Example], codes: dict[str, dict[str, int] | None]) -> Any:
    """Return [rows, columns]: numbers, codes of words, and NaN for what is missing or unseen."""
    import numpy as np

    columns = columns_of([row.input for row in rows])
    found = np.full((len(rows), len(codes)), np.nan)
    for at, (name, known) in enumerate(codes.items()):
        for row, value in enumerate(columns.get(name, ())):
            if known is not None:
                found[row, at] = known.get(str(value), np.nan)
            elif isinstance(value, int | float):
                found[row, at] = value
    return found
