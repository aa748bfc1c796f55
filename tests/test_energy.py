"""Energy is measured, estimated or unknown, in silence; beside it that of a full fine-tune."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from hubtl.energy import ABSENT, NO_COUNTRY, EnergyMeter
from hubtl.registry.card import render
from hubtl.registry.facts import read_facts
from hubtl.registry.usage import cost

BUSY = 1.5  # seconds


def counted() -> dict[str, object]:
    """Return what a meter says of a busy second."""
    with EnergyMeter() as meter:
        until = time.monotonic() + BUSY
        while time.monotonic() < until:
            sum(range(1000))
        return meter.read()


def test_what_was_not_counted_is_unknown_and_says_what_to_install():
    assert EnergyMeter().read() == {"kwh": None, "kg_co2": None, "how": ABSENT}
    assert "hubtl[energy]" in ABSENT


def test_energy_is_counted_in_silence_without_a_file_or_a_network(monkeypatch, capfd):
    pytest.importorskip("codecarbon")
    asked = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    # Whatever a user's own settings of codecarbon are.
    for name in ("SAVE_TO_API", "SAVE_TO_FILE", "SAVE_TO_LOGGER"):
        monkeypatch.setenv(f"CODECARBON_{name}", "true")
    monkeypatch.setenv("CODECARBON_CO2_SIGNAL_API_TOKEN", "secret")
    monkeypatch.setenv("CODECARBON_EMISSIONS_ENDPOINT", "http://127.0.0.1:9/")
    found = counted()
    assert found["kwh"] > 0
    assert found["how"].startswith(("measured by codecarbon ", "estimated by codecarbon "))
    assert found["kg_co2"] is None and found["how"].endswith(NO_COUNTRY)
    assert (list(Path().iterdir()), asked, capfd.readouterr()) == ([], [], ("", ""))


@pytest.mark.parametrize(("country", "known"), [("fra", True), ("XXX", False)])
def test_co2_is_that_of_a_country_or_unknown_and_never_a_mean_of_the_world(
    country, known, monkeypatch
):
    pytest.importorskip("codecarbon")
    monkeypatch.setenv("HUBTL_COUNTRY", country)
    found = counted()
    assert (found["kg_co2"] is not None) == known
    end = "CO2 by the yearly mix of France" if known else "codecarbon knows no country `XXX`"
    assert found["how"].endswith(end)


def test_a_full_fine_tune_is_reckoned_from_a_step_unless_it_was_one(adapt_once):
    probe = read_facts(adapt_once("probe", "acme/tiny-encoder"))
    full = read_facts(adapt_once("full", "acme/tiny-bert")).full_estimate
    assert full == {"seconds": None, "kwh": None, "how": "all weights were trained"}
    assert probe.full_estimate["seconds"] > 0
    assert probe.full_estimate["how"].startswith("12 steps in 3 epochs, by one step")
    (line, *_), card = cost(probe)[-1:], render(probe, "pass", name="moods")
    assert line.startswith("To train all weights would take about ") and line in card
