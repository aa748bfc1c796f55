"""Which families of models learn by which recipes: docs/architectures.md, written by two tests.

python -m tests.architectures       (`make architectures`)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from .conftest import QUICK
from .tiny_texts import TEXTS

PAGE = Path(__file__).parent.parent / "docs" / "architectures.md"
# By task: the name under which the tests write a tiny model, and how its family is spelt.
FAMILIES: Mapping[str, Mapping[str, str]] = {
    "text-classification": {name: name for name in TEXTS},
    "token-classification": {name: name for name in TEXTS},
    "image-classification": {
        "vit": "ViT",
        "deit": "DeiT",
        "swin": "Swin",
        "convnext": "ConvNeXt",
        "resnet": "ResNet",
        "efficientnet": "EfficientNet",
        "dinov2": "DINOv2",
        "siglip": "SigLIP",
    },
    "audio-classification": {
        "wav2vec2": "Wav2Vec2",
        "wav2vec2-large": "Wav2Vec2, large",
        "hubert": "HuBERT",
        "wavlm": "WavLM",
        "whisper": "Whisper",
        "ast": "AST",
    },
}
# By task: the recipes that can't learn what it asks for, and why.
UNFIT: Mapping[str, Mapping[str, str]] = {
    "token-classification": {"fewshot": "it learns classes of whole inputs, not of words"},
}
TESTS = ("test_architectures.py", "test_token_classification_files.py")
# What the first of these tries: spans have rows of another kind, so a test of their own.
CASES = [(task, name) for task in FAMILIES if task not in UNFIT for name in FAMILIES[task]]
# A family that no recipe can adapt, and the reason that is told before work starts.
REFUSED = {
    ("image-classification", "mobilenet"): ("MobileNetV2", "it looks into its"),
}
WHOLE = "each row went through the whole network"
ABOUT = """\
# Which architectures work

*Written by `make architectures` from what `tests/test_architectures.py` and
`tests/test_token_classification_files.py` saw; change these, not this page.*

A tiny model of each family, made from its configuration with random weights, learns by each recipe.
Where it says `yes`, training lowered the loss, the folder was saved, and the code of its card,
which knows nothing of hubtl, loaded it with public libraries and gave the same logits, or spans.
Where it says `no`, the reason stands below the table. `trunk` is whether the frozen part of the
network is run once for each row and its states are kept, by `top`; where it isn't, each epoch takes
the whole network, and results are the same."""


def recipes_of(task: str) -> list[str]:
    """Return the recipes that are tried for a task."""
    return [recipe for recipe in QUICK if recipe not in UNFIT.get(task, {})]


def page(seen: Mapping[tuple[str, str, str], str], how: Mapping[tuple[str, str], str]) -> str:
    """Return the page, by why each task, family and recipe failed, or nothing, and how `top` went.

    A gap without its reason says nothing to who may want to close it.
    """
    parts = [ABOUT]
    for task, families in FAMILIES.items():
        recipes, unfit = recipes_of(task), UNFIT.get(task, {})
        gaps = [f"- `{recipe}`: {why}" for recipe, why in unfit.items()]
        rows = [["family", *(f"`{recipe}`" for recipe in recipes), "trunk"]]
        rows.append(["---"] * len(rows[0]))
        for name, spelt in families.items():
            told = how[task, name]
            trunk = f"no: {told.split('(')[1].rstrip(') ')}" if WHOLE in told else "yes"
            failed = {recipe: seen[task, name, recipe] for recipe in recipes}
            rows.append([spelt, *("**no**" if why else "yes" for why in failed.values()), trunk])
            gaps += [f"- {spelt}, `{recipe}`: {why}" for recipe, why in failed.items() if why]
        parts += [f"## `{task}`", "\n".join(f"| {' | '.join(row)} |" for row in rows)]
        parts += ["\n".join(gaps)] if gaps else []
    refused = [
        f"- {spelt} (`{task}`): refused before work starts, since {why} convolutions from outside"
        for (task, _), (spelt, why) in REFUSED.items()
    ]
    return "\n\n".join([*parts, "## Not yet", *refused]) + "\n"


def reason(failed: ElementTree.Element) -> str:
    """Return the first line of what a test failed with."""
    told = failed.get("message") or failed.text or ""
    return next((line.strip() for line in told.splitlines() if line.strip()), "no reason was told")


def write() -> int:
    """Run the tests in a process of their own and write the page; returns pytest's exit code."""
    tests = [str(Path(__file__).with_name(name)) for name in TESTS]
    with tempfile.TemporaryDirectory() as room:
        told = Path(room) / "seen.xml"
        command = [sys.executable, "-m", "pytest", "-q", *tests, "-k", "every_recipe"]
        command += [f"--junitxml={told}", "-o", "junit_family=xunit1"]  # which has properties
        ended = subprocess.run(command, check=False).returncode
        seen, how = {}, {}
        for case in ElementTree.parse(told).iter("testcase"):
            found = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
            if "recipe" in found:
                task, family, recipe = found["task"], found["family"], found["recipe"]
                failed = [each for each in case if each.tag in ("failure", "error")]
                seen[task, family, recipe] = reason(failed[0]) if failed else ""
                if recipe == "top":
                    how[task, family] = found.get("how", "")
    PAGE.write_text(page(seen, how), encoding="utf-8")
    return ended


if __name__ == "__main__":
    sys.exit(write())
