"""The pages of a team hub: what they show, to whom, and that nothing of a card is ever run."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser

import pytest
from huggingface_hub import HfApi

from hubtl.server.pages.prose import MOST, as_html

from . import serving
from .serving import ANA_READS, TOKENS, TeamHubServer, commit, make, running_hub

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


PAGES = [
    "/",
    "/models",
    "/models?search=moods&domain=software",
    "/datasets",
    "/acme",
    "/ana",
    "/acme/moods",
    "/datasets/acme/rows",
    "/acme/moods/tree/main",
    "/acme/moods/tree/main/a",
    "/acme/moods/blob/v1/rules.md",
    "/acme/moods/commits/main",
    "/login",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_without_script_style_or_anything_from_elsewhere(path, hub):
    answer = hub.ask("GET", path)
    page = Read(answer.text)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src ")
    assert "script" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not {"script", "style", "iframe", "object", "embed"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        loaded = attributes.get("src") or (attributes.get("href", "") if tag == "link" else "")
        assert loaded == "" or loaded.startswith("/")


@pytest.mark.parametrize("path", PAGES)
def test_headings_are_in_order_and_everything_has_a_name(path, hub):
    page = read(hub, path)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(low - high <= 1 for high, low in zip(levels, levels[1:], strict=False))
    labelled = {label["for"] for label in page.all("label")}
    fields = [*page.all("input"), *page.all("select"), *page.all("textarea")]
    assert {each["id"] for each in fields if each.get("type") != "hidden"} == labelled
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(page.all("main")) == 1 and page.all("html")[0]["lang"] == "en"
    assert page.links()[0] == "#main"


def test_the_first_page_tells_what_is_there_by_domain_task_and_organisation(hub):
    page = read(hub, "/")
    assert "2 models and 1 data set" in page.words
    for link in ("/models?domain=software", "/models?task=fill-mask", "/acme", "/acme/moods"):
        assert link in page.links()


def test_a_list_is_narrowed_by_links_that_can_be_shared(hub):
    page = read(hub, "/models?search=ACME&domain=software")
    assert "1 model" in page.words and "/acme/moods" in page.links()
    assert "/acme/base" not in page.links()
    assert "/models?search=ACME&task=text-classification&domain=software" in page.links()
    assert "/models?search=ACME" in page.links()  # without the domain
    assert "Nothing here fits" in read(hub, "/models?search=x&author=acme").words


def test_pages_of_a_list_follow_each_other_and_miss_nothing(team_hub):
    for number in range(65):
        make(team_hub, f"acme/model-{number}")
    found, path = [], "/models?sort=createdAt"
    while path:
        page = read(team_hub, path)
        found += [link for link in page.links() if "/acme/model-" in str(link)]
        path = next((link["href"] for link in page.all("a") if link.get("rel") == "next"), None)
    assert found == [f"/acme/model-{number}" for number in reversed(range(65))]


def test_a_model_page_shows_card_facts_kin_and_the_lines_to_load_it(hub):
    page = read(hub, "/acme/moods")
    for words in ("apache-2.0", "allows commercial use", "Tells good from bad", "made from, and"):
        assert words.casefold() in page.words.casefold()
    assert f"export HF_ENDPOINT={hub.url}\nhf download acme/moods" in page.words
    assert "/acme/base" in page.links() and "/acme/moods/tree/v1" in page.links()
    assert "/acme/moods/tree/main/rules.md" in page.links() and "#card-use-it" in page.links()
    assert "/acme/moods" in read(hub, "/acme/base").links()  # among what was made from it
    assert "moods" not in page.words.split()  # the card's title is the page's


def test_a_file_is_shown_as_text_and_leads_to_its_bytes(hub):
    page = read(hub, "/acme/moods/tree/main/a/b.txt")
    assert "<b>bold</b>" in page.words and "/acme/moods/resolve/main/a/b.txt" in page.links()
    assert "a/" in read(hub, "/acme/moods/tree/main").words


def test_versions_tell_who_when_and_what(hub):
    page = read(hub, "/acme/moods/commits/main")
    assert "Upload rules.md with huggingface_hub" in page.words and "ana" in page.words
    assert "/acme/moods/tree/v1" in page.links()


PRIVATE = ["/zoo/secret-moods", "/zoo/secret-moods/tree/main", "/zoo/secret-moods/commits/main"]
PRIVATE += ["/zoo/secret-moods/tree/main/rules.md", "/zoo/secret-moods/blob/main/README.md"]


@pytest.mark.parametrize("path", PRIVATE)
def test_what_may_not_be_seen_gives_the_page_of_what_is_not_there(path, hub):
    for headers in ({}, signed_in(hub, TOKENS["ana"])):
        hidden = hub.ask("GET", path, headers=headers)
        absent = hub.ask("GET", path.replace("secret-moods", "nothing-here"), headers=headers)
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text.replace("secret-moods", "nothing-here") == absent.text
    assert hub.ask("GET", path, headers=signed_in(hub, TOKENS["zoe"])).status_code == 200


def test_no_list_and_no_count_tells_of_what_is_private(hub):
    mine, others = signed_in(hub, TOKENS["zoe"]), signed_in(hub, TOKENS["ana"])
    for path in ("/", "/models", "/zoo", "/models?search=secret", "/models?domain=software"):
        assert "secret-moods" in hub.ask("GET", path, headers=mine).text
        for headers in (others, {}):
            text = Read(hub.ask("GET", path, headers=headers).text)
            assert "zoo/secret-moods" not in text.words and "3 models" not in text.words


def test_members_are_shown_with_their_roles_to_members_alone(hub):
    assert "contribute" in hub.ask("GET", "/acme", headers=signed_in(hub, TOKENS["dan"])).text
    stranger = hub.ask("GET", "/acme", headers=signed_in(hub, TOKENS["zoe"])).text
    assert "Eve" in stranger and "contribute" not in stranger


def test_counts_follow_what_changes_at_once(team_hub):
    make(team_hub, "acme/moods")
    assert "1 model " in read(team_hub, "/").words
    team_hub.api("ana").update_repo_settings("acme/moods", private=True)
    assert "0 models " in read(team_hub, "/").words


def test_a_session_reads_and_nothing_else_and_ends_with_its_token(team_hub):
    make(team_hub, "acme/moods", visibility="private")
    session = signed_in(team_hub, ANA_READS)
    assert team_hub.ask("GET", "/acme/moods", headers=session).status_code == 200
    got = team_hub.ask("GET", "/acme/moods/resolve/main/.gitattributes", headers=session)
    assert got.status_code == 200
    assert team_hub.ask("GET", "/api/whoami-v2", headers=session).status_code == 401
    assert team_hub.ask("GET", "/api/models/acme/moods", headers=session).status_code == 401
    body = {"name": "x", "organization": "acme"}
    assert team_hub.ask("POST", "/api/repos/create", headers=session, json=body).status_code == 401
    from hubtl.server.accounts import revoke_token

    with team_hub.hub.database.writing() as db:
        revoke_token(db, "ana", "reader")
    assert team_hub.ask("GET", "/acme/moods", headers=session).status_code == 404


def test_a_cookie_is_out_of_reach_of_scripts_and_of_other_sites_and_holds_no_token(team_hub):
    answer = team_hub.ask("POST", "/login", data={"token": TOKENS["ana"], "next": "/acme"})
    cookie = answer.headers["set-cookie"]
    assert answer.headers["location"] == "/acme"
    assert "; HttpOnly; SameSite=Strict" in cookie and TOKENS["ana"] not in cookie
    over_tls = {"X-Forwarded-Proto": "https"}
    answer = team_hub.ask("POST", "/login", data={"token": TOKENS["ana"]}, headers=over_tls)
    assert answer.headers["set-cookie"].endswith("; Secure")
    forged = {"Cookie": "hubtl_session=WzFd.aaaaaa.bbbb"}
    assert "Sign in" in team_hub.ask("GET", "/", headers=forged).text


@pytest.mark.parametrize("address", ["/login", "/logout"])
def test_a_form_of_another_site_neither_signs_in_nor_out(address, team_hub):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        sent = {"data": {"token": TOKENS["ana"]}, "headers": {"Origin": origin}}
        answer = team_hub.ask("POST", address, **sent)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers
    own = {"data": {"token": TOKENS["ana"]}, "headers": {"Origin": team_hub.url}}
    assert team_hub.ask("POST", address, **own).status_code == 303


@pytest.mark.parametrize(
    "next_",
    ["//evil.example", "https://evil.example", "/\\evil", "\n/x", "/\t/evil.example", "/日本", ""],
)
def test_signing_in_leads_nowhere_else(next_, team_hub):
    answer = team_hub.ask("POST", "/login", data={"token": TOKENS["ana"], "next": next_})
    assert answer.headers["location"] == "/"


def test_wrong_tokens_are_told_and_counted(tmp_path):
    with running_hub(tmp_path, failures_a_minute=3) as server:
        answers = [server.ask("POST", "/login", data={"token": f"hf_{n}"}) for n in range(5)]
        assert [each.status_code for each in answers] == [401, 401, 401, 429, 429]
        assert "knows no such token" in answers[0].text


def test_a_hub_that_shows_nothing_to_strangers_asks_them_to_sign_in(tmp_path):
    with running_hub(tmp_path, anonymous=False) as server:
        make(server, "acme/moods")
        for path in ("/", "/models?search=a", "/acme", "/acme/moods", "/acme/nothing"):
            answer = server.ask("GET", path)
            assert answer.status_code == 303 and answer.headers["location"].startswith("/login?")
        assert server.ask("GET", "/login").status_code == 200
        assert server.ask("GET", "/static/style.css").status_code == 200
        session = signed_in(server, TOKENS["ana"])
        assert "HF_TOKEN" in server.ask("GET", "/acme/moods", headers=session).text


def test_a_gated_card_is_for_those_who_have_access(team_hub):
    make(team_hub, "acme/moods")
    commit(team_hub, {"README.md": CARD.encode()}, "acme/moods")
    team_hub.api("cleo").update_repo_settings("acme/moods", gated="manual")
    stranger = team_hub.ask("GET", "/acme/moods")
    assert stranger.status_code == 200 and "Tells" not in stranger.text
    assert team_hub.ask("GET", "/acme/moods/tree/main/README.md").status_code in (303, 401)
    assert "Tells" in team_hub.ask("GET", "/acme/moods", "ana").text


def test_a_former_name_leads_to_the_page_and_clients_keep_their_answers(team_hub):
    make(team_hub, "acme/moods")
    team_hub.api("cleo").move_repo("acme/moods", "acme/feelings")
    answer = team_hub.ask("GET", "/acme/moods/tree/main")
    assert (answer.status_code, answer.headers["location"]) == (307, "/acme/feelings/tree/main")
    for path in ("/api/nothing", "/api/models/gpt2", "/gpt2/resolve/main/config.json"):
        assert team_hub.ask("GET", path).headers["content-type"] == "application/json"


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt&colon;alert(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "[a](vbscript:x) ![a](javascript:alert(1))",
    "![a](https://evil.example/pixel.png)",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "<svg/onload=alert(1)><style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<!-- --><script>alert(1)</script>",
    "<form action=https://evil.example><input name=token></form>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    '# a" onmouseover="alert(1)\n',
    '```" onload="alert(1)\nx\n```',
    '[a](/x "\\" onclick=\\"alert(1)")',
    "| a |\n|---:|\n| <script>alert(1)</script> |",
    "<a href='//evil.example'>x</a> [y](//evil.example/z) [z](\\\\evil)",
    "<scr<script>ipt>alert(1)</script>",
    "a <b",
]
SAFE = {
    "a": {"href", "rel"},
    "div": {"class", "role", "aria-label", "tabindex"},
    "pre": {"role", "aria-label", "tabindex"},
    "img": {"src", "alt", "loading"},
    "span": {"class"},
    "th": {"class"},
    "td": {"class"},
    **{f"h{level}": {"id"} for level in range(3, 7)},
    **dict.fromkeys("p ul ol li em strong code table thead tbody tr hr br s".split(), {}),
}


@pytest.mark.parametrize("text", HOSTILE)
def test_of_hostile_markup_only_words_are_left(text, hub):
    found = Read(as_html(text, "moods", "acme/moods", "main"))
    for tag, attributes in found.elements:
        assert set(attributes) <= set(SAFE[tag]), (tag, attributes)
        for address in (attributes.get("href"), attributes.get("src")):
            assert re.match(r"https?:|mailto:|/[^/\\]|#|$", str(address or "")), address
    assert "evil.example" not in [image.get("src") for image in found.all("img")]


ENDLESS = "[ ![ `  > - < <!-- [a]( a_ |a <b> *_ [] &amp; **a*".split()
ENDLESS += ["*a ", "> ", "- ", "a\n", "# a\n", "[" * 3000 + "\n\n", "[" * 190 + "\n\n"]
ENDLESS += ["|a" * n + "\n" + "|-" * n + "\n" + "|\n" * 500 for n in (90, 5000)]


@pytest.mark.parametrize("part", ENDLESS, ids=lambda part: repr(part[:8] + part[-4:]))
def test_no_text_takes_long_to_read(part):
    text = (part * MOST)[:MOST]
    began = time.process_time()
    as_html(text, "", "acme/moods", "main")
    assert time.process_time() - began < 2


def test_a_card_of_five_megabytes_is_cut_and_says_so(team_hub):
    make(team_hub, "acme/moods")
    card = CARD + "\nwords and <script>alert(1)</script> words\n" * 120_000
    assert commit(team_hub, {"README.md": card.encode()}, "acme/moods").status_code == 200
    began = time.perf_counter()
    answer = team_hub.ask("GET", "/acme/moods")
    assert time.perf_counter() - began < 5  # a second where nothing else runs
    assert answer.status_code == 200 and len(answer.content) < 4 * MOST
    assert "<script" not in answer.text and "The card goes on" in answer.text


def test_figures_of_a_stranger_are_shown_as_figures_or_not_at_all(team_hub):
    make(team_hub, "acme/moods")
    nothing = (
        b'{"main_metric": "a", "metrics": {}, "baselines": {}, "gain": null, "rows": {"test": 1}}'
    )
    for told in (b"[]", b"{", b'{"metrics": {"a": {"value": "<b>"}}}', b"[" * 10_000, nothing):
        assert commit(team_hub, {"hubtl.json": told}, "acme/moods").status_code == 200
        assert team_hub.ask("GET", "/acme/moods").status_code == 200
    huge = f"metrics: [{{type: accuracy, value: 1{'0' * 310}}}]"
    card = f"---\nmodel-index: [{{results: [{{{huge}}}]}}]\n---\n# Moods\n".encode()
    assert commit(team_hub, {"README.md": card}, "acme/moods").status_code == 200
    for page in ("/", "/models", "/acme", "/acme/moods"):
        assert team_hub.ask("GET", page).status_code == 200
