"""The rival of every model of rows: scikit-learn's gradient boosting, on columns as they are."""

from .rows import columns_of, is_number


def boosted(train, test, seed, kind="Classifier"):
    """Return what boosting says of the test rows, its learning rate chosen by cross-validation.

    Words are categories, the rarest of many as one; empty cells, and words new to it, are missing.
    """
    import numpy as np
    from sklearn import ensemble
    from sklearn.model_selection import GridSearchCV, KFold
    from sklearn.preprocessing import OrdinalEncoder

    columns = list(columns_of([row.input for row in (*train, *test)]).values())
    words, read = [not is_number(values) for values in columns], (str, float)[kind == "Regressor"]
    codes = OrdinalEncoder(max_categories=250, encoded_missing_value=np.nan)  # of 255
    table = [
        codes.fit_transform(np.array([[v if v is None else str(v)] for v in values], object))
        if are_words
        else np.array(values, np.float64)[:, None]
        for values, are_words in zip(columns, words, strict=True)
    ]
    cells, learnt = np.concatenate(table, axis=1), len(train)
    boosting = getattr(ensemble, f"HistGradientBoosting{kind}")
    model = boosting(categorical_features=words, random_state=seed)
    rates, folds = [0.03, 0.1, 0.3], KFold(3, shuffle=True, random_state=seed)
    search = GridSearchCV(model, {"learning_rate": rates}, cv=folds)
    search.fit(cells[:learnt], [read(row.label) for row in train])
    return [str(label) for label in search.predict(cells[learnt:])]
