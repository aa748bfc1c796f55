"""Where hubtl keeps what it keeps: settings in one file, models in one folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs
import yaml

from .errors import BadOption, unknown

SETTINGS: Mapping[str, str] = {
    "hub": "the hub that commands use: `hf`, `starter`, `folder:PATH` or an address",
    "organisation": "the organisation that `publish --to NAME` means",
    "domain": "the domain of what you adapt, from `hubtl catalog --domains`",
    "catalog": "the file of your team's catalogue, which is laid over hubtl's",
    "country": "whose electricity is used, three letters such as FRA: CO2 is reckoned by its mix",
    "trunks": "how many GB of features of frozen layers are kept, 5 unless set",
}


def home() -> Path:
    """Return the folder of settings and pulled models (`HUBTL_HOME`, else the system's place)."""
    named = os.environ.get("HUBTL_HOME")
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("hubtl", False))


def models() -> Path:
    """Return the folder of pulled models, laid out as a huggingface_hub cache."""
    return home() / "hub"


def index() -> Path:
    """Return the folder of the index of models that hubs are known to have."""
    return home() / "index"


def team_catalogue() -> Path:
    """Return the file of the team's own catalogue: the setting `catalog`, else one beside it."""
    named = setting("catalog")
    return Path(named).expanduser() if named else settings_file().with_name("catalog.yaml")


def ledger() -> Path:
    """Return the file of past results, beside the settings: a cache is emptied, and they last."""
    return settings_file().with_name("results.sqlite")


def trunks() -> tuple[Path, int]:
    """Return the folder of kept features of frozen layers, and how many bytes it may have."""
    said = setting("trunks") or "5"
    try:
        return home() / "trunks", int(float(said) * 1e9)
    except ValueError as error:
        raise BadOption(f"`trunks` is set to `{said}`, which is no number", "such as 5") from error


def settings_file() -> Path:
    """Return the path of the settings, whether or not it exists yet."""
    named = os.environ.get("HUBTL_HOME")
    folder = Path(named) if named else Path(platformdirs.user_config_dir("hubtl", False))
    return folder.expanduser() / "config.yaml"


def settings() -> dict[str, str]:
    """Return the settings that were made; raises BadOption where the file is not readable YAML."""
    path = settings_file()
    if not path.is_file():
        return {}
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadOption(f"the settings in `{path}` can't be read", "mend or remove it") from error
    return {str(key): str(value) for key, value in read.items()} if isinstance(read, dict) else {}


def setting(name: str) -> str | None:
    """Return one setting: the environment's `HUBTL_NAME` goes before the file's."""
    return os.environ.get(f"HUBTL_{name.upper()}") or settings().get(name)


def change_setting(name: str, value: str | None) -> None:
    """Write one setting, or take it away where `value` is None."""
    if name not in SETTINGS:
        raise unknown("setting", name, SETTINGS, "see `hubtl config`")
    changed = settings()
    changed.pop(name, None)
    if value is not None:
        changed[name] = value
    path = settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(yaml.safe_dump(changed), encoding="utf-8")
    beside.replace(path)
