"""How much of a client's a team hub works through, keeps in memory, and tells again."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest

from hubtl.server import facts
from hubtl.server.cards import read_matter, read_yaml
from hubtl.server.git import FILE, Node, encode_tree
from hubtl.server.pickles import is_pickle
from hubtl.server.storing import LARGE_PATTERNS, RULE, default_attributes, large_patterns
from hubtl.server.trees import Decoded

from . import serving
from .serving import make, running_hub, team_hub  # noqa: F401

NAME = "acme/moods"
ADDRESS = f"/api/models/{NAME}"


@pytest.fixture
def moods(team_hub):  # noqa: F811
    """A public repository of acme."""
    make(team_hub, NAME)
    return team_hub


def commit(server, files, name=NAME, more=()):
    return serving.commit(server, files, name, more=more)


def removing(*changes):
    return [{"key": f"deleted{kind}", "value": {"path": path}} for kind, path in changes]


def weights(header):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


def told(server, field, name=NAME):
    return server.ask("GET", f"/api/models/{name}?expand={field}").json().get(field)


def paths(server):
    return [each["path"] for each in server.ask("GET", f"{ADDRESS}/tree/main").json()]


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()[:512]


def preupload(server, path, **more):
    body = {"files": [{"path": path, "size": 1, "sample": ""}], **more}
    return server.ask("POST", f"{ADDRESS}/preupload/main", "ana", json=body)


def test_patterns_that_people_write_are_kept():
    lines = [*LARGE_PATTERNS, "**/*.bin", "a/**/b", "**/foo/**", "data*.py[cod]", "!keep.bin"]
    text = "".join(f"{line} {RULE}\n" for line in lines)
    assert len(large_patterns(text).patterns) == len(lines)
    attributes = default_attributes("dataset").decode()
    assert len(large_patterns(attributes).patterns) == len(attributes.splitlines())


@pytest.mark.parametrize(
    "line",
    ["*a*a*b", "*a*/*a*/*a*/b", "a/**/b/**/c/**/d", "a" * 201, "[z-a]", "!", "a\\", "[[a]"],
)
def test_a_pattern_that_is_hard_or_none_is_passed_over(line, moods):
    answer = preupload(moods, "x/keep.txt", gitIgnore=f"{line}\n*.log")
    assert answer.json()["files"][0]["shouldIgnore"] is False
    assert preupload(moods, "x/a.log", gitIgnore=f"{line}\n*.log").json()["files"][0][
        "shouldIgnore"
    ]


def test_a_committed_pattern_that_takes_for_ever_is_passed_over(moods):
    rules = {".gitignore": b"*a*a*a*a*b", ".gitattributes": f"*a*a*a*a*b {RULE}".encode()}
    assert commit(moods, rules).status_code == 200
    assert preupload(moods, "a" * 210).json()["files"][0]["uploadMode"] == "regular"


@pytest.mark.parametrize("path", ["a/../b", "a" * 256, "a/.git/config"])
def test_a_path_that_can_not_be_committed_is_asked_about_in_vain(path, moods):
    assert preupload(moods, path).status_code == 422


@pytest.mark.parametrize("name", "a.pkl a.pickle a.dill a.joblib a.PT a.pth a.ckpt".split())
def test_what_is_always_unpickled_is_unsafe_by_its_name(name):
    assert is_pickle(name, b"")


@pytest.mark.parametrize(
    ("content", "unsafe"),
    [
        (b"PK\x03\x04 torch", True),
        (b"\x80\x02z", True),
        (b"\x80\x00cos\nsystem\n.", True),
        (b"I0x10\n0cos\nsystem\n.", True),
        (b"S'\xff'\n0cos\nsystem\n.", True),
        (b"(ios\nsystem\n.", True),
        (b"S'" + b"a" * 510, True),
        (b"", False),
        (b"content of a file", False),
        (b"some text\nof lines", False),
        (b"{}", False),
        (b"(lp0\n.", False),
        (bytes(512), False),
    ],
)
def test_a_bin_file_is_a_pickle_where_its_content_is_one(content, unsafe):
    assert is_pickle("a.bin", content) is unsafe


@pytest.mark.parametrize(
    ("array", "unsafe"),
    [
        (np.zeros(3), False),
        (np.zeros(2, dtype="M8[ns]"), False),
        (np.array([{}], dtype=object), True),
        (np.zeros(2, dtype=[("a", "i4"), ("b", "O")]), True),
    ],
    ids=["numbers", "dates", "objects", "records"],
)
def test_an_array_is_unsafe_where_it_holds_objects(array, unsafe):
    assert is_pickle("a.npy", saved(array)) is unsafe


def test_a_bin_file_of_text_is_taken_where_pickles_are_refused(tmp_path):
    with running_hub(tmp_path, pickles="refuse") as server:
        make(server, NAME)
        assert commit(server, {"a.bin": b"content"}).status_code == 200


def test_a_name_makes_no_other_name_of_the_same_content_unsafe(moods):
    make(moods, "acme/mine")
    commit(moods, {"m.safetensors": b"weights"})
    commit(moods, {"m.pt": b"weights"}, "acme/mine")
    for name, unsafe in ((NAME, []), ("acme/mine", ["m.pt"])):
        said = moods.ask("GET", f"/api/models/{name}?securityStatus=true").json()
        issues = said["securityRepoStatus"]["filesWithIssues"]
        assert [each["path"] for each in issues] == unsafe


def test_a_folder_and_what_is_in_it_can_be_taken_away_together(moods):
    commit(moods, {"d/a": b"", "d/e/b": b"", "c": b""})
    away = removing(("Folder", "d/e"), ("Folder", "d"), ("File", "d/a"), ("Folder", "d/e"))
    again = removing(("File", "c"), ("Folder", "c"))
    assert commit(moods, {"d/new": b""}, more=[*away, *again]).status_code == 200
    assert paths(moods) == [".gitattributes", "d"]
    gone = commit(moods, {}, more=removing(("Folder", "d"), ("File", "d/zzz")))
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("12", 12), ("007", 7), ("010", 10), ("0o17", 15), ("0x1F", 31), ("-3", -3)),
        *(("0.5", 0.5), ("1e-5", 1e-5), (".5", 0.5), (".inf", "inf"), ("1.2.3", "1.2.3")),
        *(("1:30", "1:30"), ("1_000", "1_000"), ("3x", "3x"), ("truest", "truest")),
        *(("true", True), ("no", "no"), ("1.0.0", "1.0.0"), ("2024-01-01", "2024-01-01")),
    ],
)
def test_numbers_are_read_as_yaml_1_2_has_them(text, value):
    read = read_yaml(f"a: {text}")["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "text", ["!!int 1:1", "!!float 1:1.0", "9" * 401, "[" + "a," * 60_000 + "]", "[" * 60]
)
def test_values_that_take_long_are_no_metadata(text):
    with pytest.raises(ValueError):
        read_yaml(f"a: {text}")


def test_metadata_is_read_up_to_its_largest_size():
    assert read_matter(f"---\na: {'b' * 200_000}\n---\n")["a"] == "b" * 200_000
    with pytest.raises(ValueError, match="256 kB"):
        read_matter(f"---\na: {'b' * 300_000}\n---\n")


def test_half_a_letter_in_a_header_of_weights_stops_no_answer(moods):
    header = b'{"\\ud800":{"dtype":"\\ud800","shape":[2],"data_offsets":[0,8]}}'
    content = struct.pack("<Q", len(header)) + header
    assert commit(moods, {"m.safetensors": content}).status_code == 200
    assert told(moods, "safetensors") == {"parameters": {"?": 2}, "total": 2}
    address = f"{ADDRESS}/safetensors-metadata/m.safetensors"
    assert list(moods.ask("GET", address).json()["headers"]["m.safetensors"]) == ["?"]


@pytest.mark.parametrize("shape", [[1] * 65, [-1, -1], [1.5], ["3"], 3, [1 << 30, 1 << 30]])
def test_a_shape_that_no_tensor_has_counts_nothing(shape, moods):
    content = weights({"a": {"dtype": "F32", "shape": shape}, "b": {"dtype": "F32", "shape": [2]}})
    assert commit(moods, {"m.safetensors": content}).status_code == 200
    assert told(moods, "safetensors") is None


def test_headers_are_read_up_to_their_largest_size_together(moods, monkeypatch):
    content = weights({"a": {"dtype": "F32", "shape": [2]}})
    monkeypatch.setattr(facts, "LARGEST_HEADERS", 2 * len(content))
    commit(moods, {"1.safetensors": content, "2.safetensors": content})
    assert told(moods, "safetensors")["total"] == 4
    commit(moods, {"3.safetensors": content})
    assert told(moods, "safetensors") is None


def test_tags_bases_and_names_are_told_up_to_a_number(moods):
    tags = [f"tag-{number}" for number in range(1000)]
    bases = [f"acme/base-{number}" for number in range(100)]
    card = {"tags": tags, "base_model": bases, "pipeline_tag": "x" * 300}
    config = {"architectures": ["A" * 300, *"BCDEFGHIJKLMN"], "model_type": {"no": "text"}}
    files = {"README.md": f"---\n{json.dumps(card)}\n---\n", "config.json": json.dumps(config)}
    commit(moods, {path: text.encode() for path, text in files.items()})
    assert told(moods, "baseModels") == bases[:50]
    assert told(moods, "config") == {"architectures": [*"BCDEFGHIJK"]}
    assert told(moods, "pipeline_tag") is None
    assert len(told(moods, "tags")) <= 500
    assert told(moods, "cardData")["tags"] == tags[:500]


def test_a_tag_that_is_too_long_hides_no_other(moods):
    commit(moods, {"README.md": f"---\ntags: [{'x' * 20_000}, short]\n---\n".encode()})
    assert told(moods, "tags") == ["short"]


def test_a_list_tells_the_same_with_whole_cards_and_without(moods):
    card = b"---\ntags: [a, b]\nlibrary_name: peft\npipeline_tag: fill-mask\n---\n"
    header = weights({"a": {"dtype": "F32", "shape": [2]}})
    commit(moods, {"README.md": card, "config.json": b'{"model_type": "bert"}'})
    commit(moods, {"m.safetensors": header})
    whole = moods.ask("GET", "/api/models?cardData=true&config=true").json()
    short = moods.ask("GET", "/api/models?config=true").json()
    assert whole[0].pop("cardData")["tags"] == ["a", "b"]
    assert whole == short


def test_lists_of_data_sets_and_spaces_tell_what_stands_in_cards(team_hub):  # noqa: F811
    api = team_hub.api("ana")
    api.create_repo("acme/rows", repo_type="dataset")
    api.create_repo("acme/app", repo_type="space", space_sdk="gradio")
    card = b"---\npretty_name: Rows\n---\n"
    api.upload_file(
        path_or_fileobj=card, path_in_repo="README.md", repo_id="acme/rows", repo_type="dataset"
    )
    assert team_hub.ask("GET", "/api/datasets").json()[0]["description"] == "Rows"
    assert [each.sdk for each in api.list_spaces()] == ["gradio"]


def test_a_page_of_whole_cards_is_smaller(moods):
    for number in range(3):
        make(moods, f"acme/m{number}")
    pages = [moods.ask("GET", f"/api/models?limit=2{more}") for more in ("", "&cardData=true")]
    assert [len(page.json()) for page in pages] == [2, 2]
    assert [each.id for each in moods.api().list_models(cardData=True, limit=4)] == [
        each.id for each in moods.api().list_models(limit=4)
    ]


def test_trees_that_were_used_last_are_kept_as_far_as_there_is_room():
    body = encode_tree({"a": Node(FILE, "0" * 40)})
    kept = Decoded(2 * len(body))
    for oid in "abc":
        kept.keep(oid, body)
        kept.get("a")
    assert [kept.get(oid) is not None for oid in "abc"] == [True, False, True]
    kept.keep("large", body * 5)
    assert [kept.get(oid) is not None for oid in ("a", "c", "large")] == [False, False, True]


def test_what_is_changed_in_one_commit_stays_in_the_one_before(moods):
    before = commit(moods, {"d/a": b"1"}).json()["commitOid"]
    commit(moods, {"d/b": b"2"})
    trees = [moods.ask("GET", f"{ADDRESS}/tree/{at}/d").json() for at in (before, "main")]
    assert [[each["path"] for each in tree] for tree in trees] == [["d/a"], ["d/a", "d/b"]]
