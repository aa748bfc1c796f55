"""DATA may be a folder, or a data set on a hub: as the Hub lays them out, or it is told why not."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from hubtl.dataset import Dataset, read_dataset, read_inputs
from hubtl.plugins.manager import plugins
from hubtl.registry.errors import HubtlError
from hubtl.transfer.layout import layout

from .serving import TeamHubServer, team_hub

__all__ = ["team_hub"]
CARD = "---\nlicense: mit\n---\n"
CSV = "text,label\ngreat,good\nawful,bad\n"


def lay(root: str, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(root)


def read(path: Path | str, hub: str | None = None, **columns: str) -> Dataset:
    return read_dataset(Path(path), plugins().task("text-classification"), columns, hub)


def rows(data: Dataset) -> list[tuple[str, str, str]]:
    return [(row.id, row.input, row.label) for row in data.examples]


def sizes(data: Dataset) -> dict[str, int]:
    return {part: len(found) for part, found in data.parts.items()}


def told(path: Path | str, hub: str | None = None, **columns: str) -> str:
    with pytest.raises(HubtlError) as caught:
        read(path, hub, **columns)
    return f"{caught.value.message} | {caught.value.hint}"


def test_a_folder_a_class_gives_each_files_text_and_its_folder_as_the_label():
    data = read(
        lay(
            "moods",
            {"good/b.txt": "warm\n", "good/a.md": "\ufeffsweet", "bad/deep/c.TXT": "cold",
             "README.md": "# moods", ".git/x": "", "bad/.DS_Store": ""},
        )
    )  # fmt: skip
    assert rows(data) == [
        ("bad/deep/c.TXT", "cold", "bad"),
        ("good/a.md", "sweet", "good"),
        ("good/b.txt", "warm\n", "good"),
    ]
    assert data.columns == {"file": "files", "label": "folders"}


def test_folders_of_parts_above_the_classes_are_the_split():
    names = ["train/good/1.txt", "train/bad/2.txt", "test/good/3.txt", "validation/bad/4.txt"]
    data = read(lay("moods", dict.fromkeys(names, "words")))
    assert sizes(data) == {"train": 2, "validation": 1, "test": 1}
    assert data.columns["split"] == "part folders"
    assert [row.label for row in data.examples] == ["good", "bad", "good", "bad"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "`moods` holds no file ending in .csv, .tsv, .jsonl, .parquet, .txt, .md | give a ta"),
        ({"good/a.txt": "x", "good/b.pdf": "x"}, "`moods/good/b.pdf` is no file that this task re"),
        ({"good/a.txt": "x", "b.txt": "x"}, "`moods/b.txt` is in no class's folder | move it into"),
        ({"good/a.txt": b"caf\xe9"}, "`moods/good/a.txt` is not UTF-8: line 1 has the byte 0xe9 |"),
        ({"good/a.txt": " \n"}, "`moods/good/a.txt` is empty | fill in or remove it"),
        ({"good/a.txt": "a\0"}, "`moods/good/a.txt` has a NUL byte, which no text has | if it is"),
        ({"a.csv": CSV, "a.jsonl": "{}"}, "`moods` has tables of several kinds: .csv, .jsonl | le"),
        ({"train.csv": CSV, "more.csv": CSV}, "`moods`: `more.csv` does not say in its name wheth"),
        ({"metadata.csv": "file_name,label\nno.txt,x\n"}, "there is no file `moods/no.txt` (li"),
        ({"metadata.csv": "file_name,label\na.gif,x\n"}, "`moods/a.gif` is no file that this task"),
        ({"train.csv": CSV, "test.csv": "text,label\n,x\n"}, "`moods`: a row has an empty text "
         "(`moods/test.csv` line 2)"),
    ],
)  # fmt: skip
def test_what_a_folder_lacks_is_told(files, expected):
    Path("moods").mkdir()
    assert told(lay("moods", files)).startswith(expected)


def test_metadata_names_files_beside_it_and_any_table_may_with_file():
    folder = lay(
        "moods",
        {"train/metadata.csv": "file_name,label\na.txt,good\n", "train/a.txt": "warm",
         "test/metadata.jsonl": '{"file_name": "b.txt", "label": "bad"}\n', "test/b.txt": "cold"},
    )  # fmt: skip
    data = read(folder)
    assert rows(data) == [
        ("test/metadata.jsonl:1", "cold", "bad"),
        ("train/metadata.csv:2", "warm", "good"),
    ]
    assert sizes(data) == {"train": 1, "validation": 0, "test": 1}
    path = (folder / "train" / "a.txt").absolute()
    table = lay(".", {"a.csv": f"where,label\n{path},good\nmoods/test/b.txt,bad\n"}) / "a.csv"
    assert [row.input for row in read(table, file="where").examples] == ["warm", "cold"]
    task = plugins().task("text-classification")
    assert read_inputs(table, task, {"file": "where"}) == ["warm", "cold"]


def test_tables_of_a_folder_are_parts_by_their_names_or_folders():
    files = {"data/train-00000-of-00002.csv": CSV, "data/train-00001-of-00002.csv": CSV,
             "data/dev.csv": CSV, "eval/rows.csv": CSV}  # fmt: skip
    data = read(lay("moods", files))
    assert sizes(data) == {"train": 4, "validation": 2, "test": 2}
    assert data.columns["split"] == "names of files"
    assert rows(data)[0] == ("data/dev.csv:2", "great", "good")


@pytest.fixture
def hub_data(team_hub: TeamHubServer, monkeypatch):
    """Put a data set's files on a team hub that is the hub in use: `put("acme/moods", files)`."""
    monkeypatch.setenv("HF_ENDPOINT", team_hub.url)
    monkeypatch.setenv("HF_TOKEN", team_hub.tokens["ana"])
    api = team_hub.api("ana")

    def put(name: str, files: dict[str, str | bytes]) -> str:
        api.create_repo(name, repo_type="dataset", exist_ok=True, private=True)
        for path, content in files.items():
            raw = content.encode() if isinstance(content, str) else content
            commit = api.upload_file(
                path_or_fileobj=raw, path_in_repo=path, repo_id=name, repo_type="dataset"
            )
        return str(commit.oid)

    return put


def as_parquet(*texts: str) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table({"text": texts, "label": ["x"] * len(texts)}), out)
    return out.getvalue()


def test_a_data_set_on_a_hub_is_read_at_its_revision_and_leaves_no_copy(hub_data, tmp_path):
    tempfile.tempdir = str(tmp_path)
    try:
        first = hub_data("acme/moods", {"data/train.csv": CSV, "data/test-0.csv": CSV})
        hub_data("acme/moods", {"data/train.csv": CSV + "fine,good\n", "notes.csv": "a,b\n"})
        assert sizes(read("hf:acme/moods")) == {"train": 3, "validation": 0, "test": 2}
        assert sizes(read(f"hf:acme/moods@{first}")) == {"train": 2, "validation": 0, "test": 2}
        modes = [path.stat().st_mode & 0o777 for path in tmp_path.glob("hubtl-data-*")]
        assert modes and set(modes) == {0o700}
    finally:
        tempfile.tempdir = None
    assert not (tmp_path / "hf").exists() and not list((tmp_path / "home").rglob("*.csv"))


def test_a_data_sets_card_says_which_files_are_which(hub_data):
    card = """---
configs:
- config_name: default
  data_files:
  - {split: train, path: "a/*.parquet"}
  - {split: test, path: "b.parquet"}
- config_name: other
  data_files: c.parquet
---
"""
    files = {"README.md": card, "a/1.parquet": as_parquet("a", "b"), "b.parquet": as_parquet("c"),
             "c.parquet": as_parquet("d")}  # fmt: skip
    hub_data("acme/moods", files)
    data = read("hf:acme/moods")
    assert rows(data)[0] == ("a/1.parquet:1", "a", "x")
    assert sizes(data) == {"train": 2, "validation": 0, "test": 1}


def test_class_folders_and_metadata_on_a_hub_are_read_too(hub_data):
    hub_data("acme/moods", {"good/1.txt": "warm", "bad/2.txt": "cold", "README.md": CARD})
    assert [row[1:] for row in rows(read("hf:acme/moods"))] == [("cold", "bad"), ("warm", "good")]
    hub_data("acme/listed", {"metadata.csv": "file_name,label\nx/1.txt,good\n", "x/1.txt": "warm"})
    assert rows(read("hf:acme/listed")) == [("metadata.csv:2", "warm", "good")]


def test_a_data_set_names_no_file_of_this_machine(hub_data):
    lay(".", {"secret.txt": "secret"})
    secret = Path("secret.txt").absolute()
    for name, cell in (("acme/a", str(secret)), ("acme/b", "../secret.txt")):
        hub_data(name, {"metadata.csv": f"file_name,label\n{cell},x\n", "x/1.txt": "warm"})
        assert told(f"hf:{name}").startswith(f"the data name `{cell}`, a file outside of them")


def test_of_as_many_files_a_table_goes_before_a_text_of_sentences():
    names = ["README.md", "data/train-00000-of-00001.parquet", "requirements.txt"]
    asked = plugins().task("token-classification").roles[0]
    found = layout("hf:acme/x", names, asked.files, {}, own=False, tables=asked.tables)
    assert found.tables == {"data/train-00000-of-00001.parquet": "train"}


def test_what_is_wrong_with_a_data_set_on_a_hub_is_told(hub_data, team_hub):
    hub_data("acme/bad", {"train.csv": "text,label\n,x\n"})
    hub_data("acme/none", {"README.md": CARD})
    assert told("hf:acme/bad").startswith(
        "`hf:acme/bad`: a row has an empty text (line 2) | fill in or remove it"
    )
    assert told("hf:acme/none").startswith("`hf:acme/none` holds no file ending in .csv, .tsv,")
    assert told("hf:acme/moods").startswith(f"there is no data set `acme/moods` on {team_hub.url}")
    assert told("hf:acme/bad@v9").startswith("`acme/bad` has no revision `v9` on")
    assert told("hf:moods").startswith("`hf:moods` names no data set | such as hf:acme/moods")
    assert told("hf:acme/bad", "http://127.0.0.1:9").startswith("http://127.0.0.1:9 can't be reach")
