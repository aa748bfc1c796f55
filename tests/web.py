"""Pages of a team hub, read as a browser reads them."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from huggingface_hub import HfApi

from . import serving
from .serving import TeamHubServer

team_hub = serving.team_hub

CARD = """---
license: apache-2.0
pipeline_tag: text-classification
library_name: peft
tags: [hubtl, "domain:software"]
base_model: acme/base
---
# moods

Tells *good* from bad. See [the rules](rules.md) and [how](#use-it).

## Use it

```python
print("moods")
```

| label | rows |
|---|---:|
| good | 40 |
"""


class Read(HTMLParser):
    """What a page has: its elements with their attributes, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def links(self) -> list[str | None]:
        return [link.get("href") for link in self.all("a")]


def read(server: TeamHubServer, path: str, user: str | None = None) -> Read:
    answer = server.ask("GET", path, user)
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


def signed_in(server: TeamHubServer, token: str) -> dict[str, str]:
    """Return the header of a browser that signed in with a token."""
    answer = server.ask("POST", "/login", data={"token": token, "next": "/"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub with a base, an adapter with a card, a private one of zoo, and a data set."""
    with TeamHubServer(tmp_path_factory.mktemp("pages")) as server:
        ana, zoe = server.api("ana"), server.api("zoe")
        _made(ana, "acme/base", {"README.md": b"---\npipeline_tag: fill-mask\n---\n"})
        adapter = {"base_model_name_or_path": "acme/base", "peft_type": "LORA"}
        files = {"README.md": CARD.encode(), "rules.md": b"# Rules\n", "a/b.txt": b"<b>bold</b>\n"}
        _made(ana, "acme/moods", {**files, "adapter_config.json": json.dumps(adapter).encode()})
        ana.create_tag("acme/moods", tag="v1")
        _made(zoe, "zoo/secret-moods", files, private=True)
        ana.create_repo("acme/rows", repo_type="dataset")
        yield server


def _made(api: HfApi, name: str, files: dict[str, bytes], *, private: bool = False) -> None:
    api.create_repo(name, private=private)
    for path, content in files.items():
        api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=name)
