"""What electricity a job takes, by codecarbon where that is installed: measured, or estimated.

Nothing is asked of a network, and nothing is written or printed: codecarbon could do all of that,
so each of its outputs is set to none, whatever its own settings say.
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any, Self

from .plugins.installed import installed_version
from .registry.places import setting

ABSENT = "not known: `pip install 'hubtl[energy]'` lets it be measured, or estimated"
NO_COUNTRY = "CO2 is not known: `hubtl config country FRA` says whose electricity it is"
EVERY = 15  # seconds between two readings
COUNTERS = ("intel_rapl", "intel_power_gadget", "windows_emi")  # as codecarbon names modes


class EnergyMeter:
    """Counts the energy of the machine from when it is entered until it is read, or left."""

    def __init__(self) -> None:
        self._tracker: Any = None
        self._why = ABSENT

    def __enter__(self) -> Self:
        if installed_version("codecarbon") is None:
            return self
        from codecarbon import OfflineEmissionsTracker

        # It speaks before it has read how loud it may be.
        logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
        # With an intensity that is given it looks for none, on the network or elsewhere.
        self._tracker = OfflineEmissionsTracker(
            force_carbon_intensity_g_co2e_kwh=0.0,
            output_methods=[],
            emissions_endpoint=None,
            electricitymaps_api_token=None,
            cloud_provider=None,
            cloud_region=None,
            log_level="critical",
            allow_multiple_runs=True,
            tracking_mode="machine",
            measure_power_secs=EVERY,
        )
        self._tracker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.read()

    def read(self) -> dict[str, Any]:
        """Return what was taken, as `{kwh, kg_co2, how}`, and stop counting."""
        tracker, self._tracker = self._tracker, None
        if tracker is None:
            return _unknown(self._why)
        tracker.stop()
        found = getattr(tracker, "final_emissions_data", None)
        self._why = "not known: codecarbon found nothing on this machine to read or reckon it by"
        if found is None or not found.energy_consumed > 0:
            return _unknown(self._why)
        kwh = float(found.energy_consumed)
        kg, why = _co2(kwh)
        how = f"{_how(tracker)}; all that the machine did in that time{why}"
        return {"kwh": kwh, "kg_co2": kg, "how": how}


def _unknown(why: str) -> dict[str, Any]:
    return {"kwh": None, "kg_co2": None, "how": why}


def _how(tracker: Any) -> str:
    """Return whether energy was measured or estimated, and by what, as codecarbon chose it."""
    version = installed_version("codecarbon")
    parts = {
        type(part).__name__: getattr(part, "_mode", "")
        for part in getattr(tracker, "_hardware", ())
    }
    mode = parts.get("CPU", "")
    gpu = "GPU" in parts
    counted = mode in COUNTERS or "AppleSiliconChip" in parts
    told = [
        f"processor measured ({mode or 'powermetrics'})"
        if counted
        else f"processor estimated from its load ({mode or 'unknown'})",
        *(["GPU measured (its driver)"] if gpu else []),
        "memory estimated",
    ]
    word = "measured" if counted else "estimated"
    return f"{word} by codecarbon {version}: {', '.join(told)}"


def _co2(kwh: float) -> tuple[float | None, str]:
    """Return the kg of CO2 by the mix of the country that is set, and what to say of that."""
    country = (setting("country") or "").upper()
    if not country:
        return None, f"; {NO_COUNTRY}"
    from codecarbon.core.emissions import Emissions
    from codecarbon.core.units import Energy
    from codecarbon.external.geography import GeoMetadata
    from codecarbon.input import DataSource

    kind: Any = DataSource
    source = kind()
    known = source.get_global_energy_mix_data()
    if country not in known:
        return None, f"; CO2 is not known: codecarbon knows no country `{country}`"
    where = GeoMetadata(country_iso_code=country, country_name=known[country]["country_name"])
    kg = Emissions(source).get_country_emissions(Energy.from_energy(kWh=kwh), where)
    return float(kg), f"; CO2 by the yearly mix of {where.country_name}"
