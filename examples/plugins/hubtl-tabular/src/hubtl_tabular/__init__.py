"""Rows of a table as a task of hubtl: their words by a sentence encoder, their numbers beside."""

import json

import hubtl
from hubtl.plugins.rivals import COMMONEST, commonest
from hubtl.plugins.tasks import LABEL_NAMES
from hubtl.plugins.text.probe_inputs import PROBE_INPUTS
from hubtl.transfer.columns import Role
from hubtl.transfer.split import joined


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
        from .network import RowEncoder

        return RowEncoder(base, entry, labels, device)

    def baselines(self, split, seed, base):
        """Return what the commonest label and gradient boosting say of the test rows."""
        from .boosting import boosted

        rows = joined(split.train, split.validation)
        said = boosted(rows, split.test, seed)
        return {"majority": commonest(rows, split.test), "boosting": said}

    def snippet(self, folder, loading):
        """Return the Python that loads a saved folder without hubtl."""
        from .network import snippet

        return snippet(folder, loading)

    def other_ways(self, folder, loading):
        """Return that no public class puts numbers beside a sentence."""
        return {}


@hubtl.hookimpl
def register_tasks():
    """Offer the classification of rows."""
    return [TabularClassification()]
