"""The pages for plugin authors, whole: what adapts, and each plugin as pip installs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .plugin_pages import PAGES, agrees, followed
from .test_plugin_pages import ADAPTING


@pytest.mark.parametrize("name", ADAPTING)
def test_a_page_shows_what_its_commands_print(name: str, tmp_path: Path) -> None:
    for shown, printed in followed(name, tmp_path, installing=False):
        assert agrees(shown, printed), printed


@pytest.mark.parametrize("name", PAGES)
def test_a_pages_plugin_is_there_once_pip_has_installed_it(name: str, tmp_path: Path) -> None:
    for shown, printed in followed(name, tmp_path, installing=True):
        assert agrees(shown, printed), printed
