"""Fixtures: a place of one's own, a command line, tiny models on a shelf, a small labelled file."""

from __future__ import annotations

import csv
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hubtl.plugins.hubs.folder import Folder
from hubtl.registry.cache import ModelCache
from hubtl.registry.fingerprint import files_in

from . import cluster as clusters

ROOT = Path(__file__).parent.parent
SECTIONS = ROOT / "examples" / "debian-sections.csv"
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
WORDS = {
    "good": ["great", "lovely", "fine", "happy", "bright", "warm", "sweet", "kind"],
    "bad": ["awful", "broken", "cold", "sad", "dark", "rude", "sour", "late"],
}
QUICK = {
    "probe": {},
    "top": {"rate": "0.001"},
    "lora": {"rate": "0.01", "epochs": "4"},
    "norm": {"rate": "0.02", "epochs": "3"},
    "full": {"rate": "0.003"},
    "fewshot": {"rate": "0.003", "epochs": "3"},
}
FILLER = ["the", "room", "was", "and", "it", "felt", "so", "we", "all", "said", "that", "day", "is"]

# Files that take minutes each. Single tests of a quarter of a minute or more are marked where they
# stand.
LONG = {
    *("test_best_base", "test_corruption", "test_decoders", "test_demos", "test_export"),
    *("test_fields", "test_hubs", "test_mirror", "test_mirror_people", "test_mirror_store"),
    *("test_numbers_of_texts", "test_plan", "test_plugin_pages_adapt", "test_production"),
    *("test_publish", "test_publish_faults", "test_rank_goes_on", "test_recipe_ranking"),
    *("test_resume", "test_road", "test_sentence_similarity", "test_several_servers"),
    *("test_several_texts", "test_spelling", "test_tabular_plugin", "test_transcripts"),
    *("test_upon_adapter", "test_verify", "test_versions", "test_web_in_chromium"),
}
# Files that hold for every family of models, pair of recipes or kind of published file what those
# above, or quick ones, hold for one.
EVERY = {
    *("test_architectures", "test_merging", "test_networks_of_pictures", "test_networks_of_sound"),
    *("test_numbers_of_files", "test_numbers_of_texts_files", "test_publish_files"),
    *("test_sentence_similarity_files", "test_several_texts_files", "test_text_generation_forms"),
    "test_token_classification_files",
}


# Files of which each test with a team hub is run with both kinds of database.
ON_BOTH = {
    *("test_hub_commits", "test_hub_counts", "test_hub_listing", "test_hub_quotas"),
    "test_hub_repositories",
    *("test_discussions", "test_hub_operations", "test_hub_store", "test_web_sign_in"),
}
cluster = clusters.cluster


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask for both databases where a file is one of ON_BOTH."""
    if "database" in metafunc.fixturenames and metafunc.module.__name__.split(".")[-1] in ON_BOTH:
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str | None:
    """The URL of a team hub's database; None for the store's own."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return None
    running: clusters.Cluster = request.getfixturevalue("cluster")
    return running.url()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of files that `make test-long` and `make test-every` run."""
    for item in items:
        if item.path.stem in LONG:
            item.add_marker("long")
        elif item.path.stem in EVERY:
            item.add_marker("every")


class Said(NamedTuple):
    """What a command said: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own, an empty working folder, and no hub or token from outside."""
    for name in list(os.environ):
        if name.startswith(("HUBTL_", "HF_", "HUGGING")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HUBTL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("COLUMNS", "100")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield tmp_path / "home"


@pytest.fixture
def hubtl_cli() -> Callable[..., Said]:
    """Run a command as typed, in a process of its own: `hubtl_cli("search bert")`."""

    def run(line: str, **environment: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "hubtl", *shlex.split(line)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Install a plugin as pip would: a module and its metadata, on the path."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)

    def into_site(name: str, code: str) -> None:
        (site / f"hubtl_{name}.py").write_text(code)
        info = site / f"hubtl_{name}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: hubtl-{name}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[hubtl]\n{name} = hubtl_{name}\n")

    return into_site


def hear_ctrl_c() -> None:
    """Let a child hear Ctrl-C, which it does not where the tests were begun in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def sentences(label: str, count: int, start: int = 0) -> list[str]:
    """Return sentences that one label's words tell from the other's."""
    words = WORDS[label]
    found = []
    for number in range(start, start + count):
        filler = [FILLER[(number * step) % len(FILLER)] for step in (5, 7)]
        found.append(" ".join([*filler, *(words[(number * step) % 8] for step in (1, 3, 5))]))
    return found


@pytest.fixture
def moods() -> Path:
    """A csv of 80 rows: 30 to train and 10 to test of each of two labels."""
    path = Path("moods.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for label in WORDS:
            for number, text in enumerate(sentences(label, 40)):
                writer.writerow([text, label, "train" if number < 30 else "test"])
    return path


def tiny_bert(folder: Path, *, pooled: bool) -> None:
    """Write a BERT of two layers and width 32 with random weights, as a sentence encoder or not."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *FILLER, *WORDS["good"], *WORDS["bad"]]
    known += [c for c in "abcdefghijklmnopqrstuvwxyz0123456789"]
    known += [f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789"]
    words = list(dict.fromkeys(known))
    tokenizer = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **special, sep_token="[SEP]", model_max_length=64
    )
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    card = "---\nlicense: mit\nlanguage: en\npipeline_tag: text-classification\n---\n# tiny\n"
    (folder / "README.md").write_text(card)
    if pooled:
        kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
        modules = [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(kinds)
        ]
        pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
        (folder / "modules.json").write_text(json.dumps(modules))
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
        (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64}')


@pytest.fixture(scope="session")
def tiny_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two tiny bases: `acme/tiny-bert` (plain) and `acme/tiny-encoder` (mean-pooled)."""
    found = {}
    for name, pooled in (("acme/tiny-bert", False), ("acme/tiny-encoder", True)):
        folder = tmp_path_factory.mktemp("tiny") / name.partition("/")[2]
        tiny_bert(folder, pooled=pooled)
        found[name] = folder
    return found


@pytest.fixture
def shelf(tmp_path: Path, tiny_folders: dict[str, Path]) -> Folder:
    """A folder hub that holds the two tiny bases."""
    cache = ModelCache(tmp_path / "shelf")
    for name, folder in tiny_folders.items():
        cache.add(name, files_in(folder))
    return Folder(cache.root)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, Path, Path], Path]:
    """Adapt once a session for each recipe and base: loading torch anew is what tests wait for."""
    room, made = tmp_path_factory.mktemp("workshop"), {}

    def adapt(recipe: str, base: str, shelf: Path, data: Path) -> Path:
        import hubtl

        if (recipe, base) not in made:
            done = hubtl.adapt(
                "text-classification",
                data,
                base=base,
                recipe=recipe,
                hub=f"folder:{shelf}",
                domain="general",
                options=QUICK[recipe],
                out=room / f"{recipe}-{base.partition('/')[2]}" / "moods",
            )
            made[recipe, base] = done.folder
        return made[recipe, base]

    return adapt


@pytest.fixture
def adapt_once(shelf: Folder, moods: Path, workshop: Any) -> Callable[[str, str], Path]:
    """Give a copy of what a recipe made of a tiny base: `adapt_once("lora", "acme/tiny-bert")`."""

    def copy(recipe: str, base: str) -> Path:
        made = workshop(recipe, base, shelf.cache.root, moods)
        return shutil.copytree(made, Path("adapted", f"{recipe}-{base.partition('/')[2]}", "moods"))

    return copy


@pytest.fixture
def adapted(adapt_once: Callable[[str, str], Path]) -> Path:
    """A folder that `adapt` wrote from the mean-pooled tiny base by the recipe probe."""
    return adapt_once("probe", "acme/tiny-encoder")
