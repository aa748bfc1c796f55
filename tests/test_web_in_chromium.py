"""The pages of a team hub in real Chromium: by keys alone, by name, narrow, dark, and hostile."""

from __future__ import annotations

import shutil
import time
from itertools import product
from urllib.parse import urlsplit

import pytest

from .screenshots import Page, barriers, opened
from .serving import TOKENS, TeamHubServer
from .test_web_cards import HOSTILE
from .test_web_pages import PAGES
from .web import CARD, _made

KEYS = {"Tab": 9, "Enter": 13}
# Everything that a screen reader stops at must say what it is.
NAMED = {"button", "link", "textbox", "searchbox", "combobox", "region", "navigation", "search"}
# The contrast of each text with what is behind it, by WCAG 2's own formula.
CONTRAST = """(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const part = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length == 3 || c[3] == 1) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim());
    if (!own && !['INPUT', 'TEXTAREA', 'SELECT'].includes(e.tagName)) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${e.tagName} ${e.className} ${ratio.toFixed(2)}`);
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """The hub of the other pages' tests, with a card of all that is hostile."""
    with TeamHubServer(tmp_path_factory.mktemp("chromium")) as server:
        ana = server.api("ana")
        _made(ana, "acme/base", {"README.md": b"---\npipeline_tag: fill-mask\n---\n"})
        files = {"README.md": CARD.encode(), "rules.md": b"# Rules\n", "a/b.txt": b"<b>bold</b>\n"}
        _made(ana, "acme/moods", files)
        ana.create_tag("acme/moods", tag="v1")
        hostile = CARD + "\n\n".join(text.replace("alert(1)", "window.hit=1") for text in HOSTILE)
        _made(ana, "acme/hostile", {"README.md": hostile.encode()})
        ana.create_repo("acme/rows", repo_type="dataset")
        yield server


@pytest.fixture(scope="module")
def page():
    """A tab of Chromium that tells what it asks for and what it complains of."""
    if not (shutil.which("chromium") and shutil.which("pdftoppm")):
        pytest.skip("Chromium is not here: make screenshots installs it")
    with opened() as tab:
        for part in ("Page", "Runtime", "Log", "Accessibility"):
            tab.say(f"{part}.enable")
        tab.say("Network.enable")
        yield tab


def go(page: Page, hub: TeamHubServer, path: str, width: int = 1280, scheme: str = "light") -> None:
    """Open a page of the hub and wait until it is drawn."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.say("Emulation.setDeviceMetricsOverride", **size)
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    page.say("Emulation.setEmulatedMedia", media="screen", features=media)
    page.say("Page.navigate", url=f"{hub.url}{path}")
    settle(page)


def settle(page: Page) -> None:
    """Wait until a page is drawn."""
    end = time.monotonic() + 20
    while not page.asked("document.readyState == 'complete' && location.protocol == 'http:'"):
        assert time.monotonic() < end, "the page is not drawn"
        time.sleep(0.05)


def press(page: Page, key: str) -> None:
    """Press a key."""
    code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
    text = {"text": "\r"} if key == "Enter" else {}
    page.say("Input.dispatchKeyEvent", type="keyDown", **code, **text)
    page.say("Input.dispatchKeyEvent", type="keyUp", **code)


def write(page: Page, text: str) -> None:
    """Type a text."""
    page.say("Input.insertText", text=text)


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what a selector names has the focus."""
    for _ in range(100):
        press(page, "Tab")
        if page.asked(f"document.activeElement.matches({selector!r})"):
            return
    pytest.fail(f"Tab never came to {selector}")


def landed(page: Page, path: str) -> None:
    """Wait until the address is another one."""
    end = time.monotonic() + 20
    while urlsplit(page.asked("location.href")).path != path:
        assert time.monotonic() < end, page.asked("location.href")
        time.sleep(0.05)
    settle(page)


@pytest.mark.parametrize(
    ("path", "scheme"), list(product([*PAGES, "/acme/hostile"], ["light", "dark"]))
)
def test_texts_stand_out_and_nothing_is_wider_than_a_phone(path, scheme, hub, page):
    go(page, hub, path, 390, scheme)
    assert page.asked("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert page.asked(CONTRAST) == []
    assert barriers(page) == []


@pytest.mark.parametrize("path", [*PAGES, "/acme/hostile"])
def test_everything_that_a_screen_reader_stops_at_has_a_name(path, hub, page):
    go(page, hub, path)
    tree = page.say("Accessibility.getFullAXTree")["nodes"]
    shown = [node for node in tree if not node["ignored"]]
    roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in shown]
    assert [role for role, name in roles if role in NAMED and not name.strip()] == []
    assert [role for role, _ in roles].count("main") == 1
    assert {"banner", "contentinfo", "heading"} <= {role for role, _ in roles}


def test_by_keys_alone_one_searches_reads_and_copies(hub, page):
    go(page, hub, "/")
    press(page, "Tab")
    assert page.asked("document.activeElement.textContent") == "Skip to the content"
    assert page.asked("document.activeElement.getBoundingClientRect().left") >= 0  # and it is seen
    press(page, "Enter")
    tab_to(page, "#search")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.asked(outline) == "solid"
    write(page, "moods")
    press(page, "Enter")
    landed(page, "/models")
    assert page.asked("document.querySelector('h2').textContent") == "1 model"
    tab_to(page, "a[href='/acme/moods']")
    press(page, "Enter")
    landed(page, "/acme/moods")
    tab_to(page, "textarea")
    page.say("Input.dispatchKeyEvent", type="keyDown", key="a", modifiers=2, commands=["selectAll"])
    taken = "(t => t.value.slice(t.selectionStart, t.selectionEnd))(document.activeElement)"
    assert page.asked(taken) == f"export HF_ENDPOINT={hub.url}\nhf download acme/moods"


def test_by_keys_alone_one_signs_in_and_out(hub, page):
    go(page, hub, "/login?next=/acme")
    tab_to(page, "#token")
    write(page, "hf_wrong_token")
    press(page, "Enter")
    time.sleep(0.5)
    settle(page)
    assert page.asked("document.querySelector('[role=alert]').id") == "wrong"
    tab_to(page, "#token")
    write(page, TOKENS["ana"])
    press(page, "Enter")
    landed(page, "/acme")
    assert "ana" in page.asked("document.querySelector('.who').textContent")
    assert page.asked("document.cookie") == ""  # it is not for scripts
    tab_to(page, ".who button")
    press(page, "Enter")
    landed(page, "/")
    assert page.asked("document.querySelector('.who').textContent.trim()") == "Sign in"


def test_a_hostile_card_runs_nothing_and_asks_nobody(hub, page):
    go(page, hub, "/acme/hostile")
    time.sleep(0.5)
    assert page.asked("typeof window.hit") == "undefined"
    assert (
        page.asked("document.querySelectorAll('main script, main style, main iframe').length") == 0
    )
    asked = page.asked("performance.getEntriesByType('resource').map(e => e.name)")
    assert {urlsplit(each).netloc for each in asked} == {urlsplit(hub.url).netloc}
    assert page.asked("document.title") == "acme/hostile · hubtl"
    # Were one to get in by a way that nobody thought of, the policy of the page would stop it.
    page.asked(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'hit = 1'}))"
    )
    assert page.asked("typeof window.hit") == "undefined"


def test_no_page_makes_the_console_complain(hub, page):
    heard: list[str] = []
    noted = "e => (window.refused ??= []).push(`${e.blockedURI} ${e.violatedDirective}`)"
    script = f"addEventListener('securitypolicyviolation', {noted})"
    page.say("Page.addScriptToEvaluateOnNewDocument", source=script)
    for path in [*PAGES, "/acme/hostile"]:
        go(page, hub, path)
        heard += page.asked("window.refused ?? []")
    assert heard == []
