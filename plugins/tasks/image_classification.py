"""The task `image-classification`: one label a picture, several at once, or a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry.entry import Entry
from ...transfer.columns import Role
from ...transfer.network import Network
from ...transfer.split import Split, joined
from ..check import Look
from ..export import Graph, Saved
from ..goals import ABOUT, goal_by, problem_of
from ..hookspecs import Loading, Task, hookimpl
from ..retaining import Probes
from ..rivals import COMMONEST, MEAN, commonest, mean_of
from ..vision import general_pictures
from ..vision.pictures import ENDINGS, check_picture
from ..vision.probe_inputs import PROBE_INPUTS
from ..vision.views import Augmentation
from . import LABEL_NAMES

if TYPE_CHECKING:
    from ...transfer.goal import Goal

AUTO = "AutoModelForImageClassification"
AUGMENTATION = ("flip", "crop", "rotate", "colour")
PICTURE_NAMES = ("image", "picture", "photo", "img")


class ImageClassification:
    """One label a picture, several at once, or a number."""

    name = "image-classification"
    roles: Sequence[Role] = (
        Role("image", PICTURE_NAMES, "file", files=ENDINGS, check=check_picture),
        Role("label", LABEL_NAMES, "few"),
    )
    probe_inputs: Sequence[str] = PROBE_INPUTS
    rivals: Mapping[str, str] = {
        "majority": COMMONEST,
        "pixels": "pixels + logistic regression",
        "colours": "colours + logistic regression",
    }
    number_rivals: Mapping[str, str] = {
        "majority": MEAN,
        "pixels": "pixels + ridge regression",
        "colours": "colours + ridge regression",
    }
    needs: Mapping[str, str] = {"pillow": "hubtl[vision]"}
    retention_judged = False
    options: Mapping[str, Any] = {
        "several": False,
        "numbers": False,
        "views": 1,
        "flip": True,
        "crop": 0.6,
        "rotate": 10.0,
        "colour": 0.2,
    }
    words: Mapping[str, Sequence[str]] = {}
    about: Mapping[str, str] = {
        "several": "a picture may have several labels at once, written `cat|dog`, or `none`",
        "numbers": ABOUT,
        "views": "of each picture to train on: 1 is as it is, more are cropped, turned, recoloured",
        "flip": "views may swap left and right",
        "crop": "the least share of a picture that a view shows",
        "rotate": "the most degrees that a view is turned",
        "colour": "the most that a view's brightness, contrast and saturation change, as a share",
    }

    def goal(self, options: Mapping[str, Any]) -> Goal:
        """Return that it is one class, any of several, or a number."""
        return goal_by(options)

    def network(
        self,
        base: Path,
        entry: Entry,
        labels: Sequence[str],
        device: str | None,
        options: Mapping[str, Any],
    ) -> Network:
        """Return transformers' own classifier with a new head."""
        from ..networks.classifier import Classifier, Kind
        from ..vision.pixels import Pixels

        how = Augmentation(**{name: options[name] for name in AUGMENTATION})
        kind = Kind(AUTO, None, lambda at, _: Pixels(at, how))
        told = problem_of(options)
        return Classifier(kind, base, entry, labels, device, told, views=options["views"])

    def baselines(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return the labels of the commonest-label rival, of pixels and of colours."""
        from ..vision.rivals import colour_labels, pixel_labels

        rows = joined(split.train, split.validation)
        return {
            "majority": commonest(rows, split.test),
            "pixels": pixel_labels(rows, split.test, seed),
            "colours": colour_labels(rows, split.test, seed),
        }

    def estimates(self, split: Split, seed: int, base: Path) -> Mapping[str, Sequence[str]]:
        """Return the numbers of the mean of training labels, of pixels and of colours."""
        from ..vision.rivals import colour_numbers, pixel_numbers

        rows = joined(split.train, split.validation)
        return {
            "majority": mean_of(rows, split.test),
            "pixels": pixel_numbers(rows, split.test, seed),
            "colours": colour_numbers(rows, split.test, seed),
        }

    def look(self, inputs: Sequence[str]) -> Look:
        """Return the pictures, for checking them."""
        from ..vision.look import Pictures

        return Pictures(inputs)

    def snippet(self, folder: Path, loading: Loading) -> str:
        """Return the Python that loads a saved folder without hubtl."""
        from ..vision import picture_classifier

        return picture_classifier.snippet(folder, loading)

    def retention_probes(self, base: Path) -> Probes:
        """Return pictures of many kinds."""
        return Probes(general_pictures.WORDS, general_pictures.pictures())

    def asking(self, folder: Path, base: Path) -> str:
        """Return code that tells what the head sees."""
        from ..networks.seen import WATCHED

        return WATCHED

    def said_by_base(self, base: Path, inputs: Sequence[str]) -> None:
        """Return that the base has no head of its own for these labels."""

    def merge(self, saved: Saved, out: Path) -> None:
        """Write a saved adapter as a whole model."""
        from ..networks import classifier

        classifier.merge(AUTO, saved, out)

    def graph(self, folder: Path, loading: Loading) -> Graph:
        """Return the network of a whole folder."""
        from ..vision import graphs

        return graphs.graph(AUTO, folder, loading)

    def other_ways(self, folder: Path, loading: Loading) -> Mapping[str, str]:
        """Return how transformers' own class would load a saved folder."""
        from ..vision import picture_classifier

        return picture_classifier.other_ways(folder, loading)

    def thumbnail(self, input: str) -> bytes:
        """Return a picture of at most 128 pixels a side."""
        from ..vision import thumbnails

        return thumbnails.thumbnail(input)


@hookimpl
def register_tasks() -> list[Task]:
    """Offer image classification."""
    return [ImageClassification()]
