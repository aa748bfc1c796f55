"""Rows of a table as tasks of hubtl: their words by a sentence encoder, their numbers beside."""

import json
from dataclasses import replace

import hubtl
from hubtl.plugins.rivals import COMMONEST, MEAN, commonest, mean_of
from hubtl.plugins.tasks import LABEL_NAMES
from hubtl.plugins.text.probe_inputs import PROBE_INPUTS
from hubtl.transfer.columns import Role
from hubtl.transfer.split import joined

from .boosting import boosted
from .network import RowEncoder, snippet


class TabularClassification:
    """One class a row, which is all columns of a table that nothing else takes."""

    name = "tabular-classification"
    roles = (Role("row", (), "row"), Role("label", LABEL_NAMES, "none"))
    probe_inputs = tuple(json.dumps({"text": text}) for text in PROBE_INPUTS)
    rivals = {"majority": COMMONEST, "boosting": "gradient boosting"}
    needs, options, about, words = {}, {}, {}, {}

    def goal(self, options):
        """Return that it is one class."""
        from hubtl.transfer.goal import ONE_CLASS

        return ONE_CLASS

    def network(self, base, entry, labels, device, options):
        """Return a sentence encoder whose head sees numbers too."""
        return RowEncoder(base, entry, labels, device)

    def baselines(self, split, seed, base):
        """Return what the commonest label and gradient boosting say of the test rows."""
        rows = joined(split.train, split.validation)
        said = boosted(rows, split.test, seed)
        return {"majority": commonest(rows, split.test), "boosting": said}

    def snippet(self, folder, loading):
        """Return the Python that loads a saved folder without hubtl."""
        return snippet(folder, loading)

    def other_ways(self, folder, loading):
        """Return that no public class puts numbers beside a sentence."""
        return {}


class TabularRegression(TabularClassification):
    """One number a row."""

    name = "tabular-regression"
    number_rivals = {**TabularClassification.rivals, "majority": MEAN}

    def goal(self, options):
        """Return that it is a number."""
        from hubtl.transfer.number import NUMBERS

        return NUMBERS

    def estimates(self, split, seed, base):
        """Return what the mean and gradient boosting say of the test rows."""
        rows = joined(split.train, split.validation)
        said = boosted(rows, split.test, seed, "Regressor")
        return {"majority": mean_of(rows, split.test), "boosting": said}

    def snippet(self, folder, loading):
        """Return the Python that loads a saved folder without hubtl."""
        return snippet(folder, replace(loading, options={"numbers": True}))


@hubtl.hookimpl
def register_tasks():
    """Offer both."""
    return [TabularClassification(), TabularRegression()]
