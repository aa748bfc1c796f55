"""What licences allow, ask and limit, however their names are written."""

from __future__ import annotations

import pytest

from hubtl.registry.catalog import catalogue
from hubtl.registry.errors import Refused
from hubtl.registry.licences import Licence, chain_licence, licence_id
from hubtl.registry.weights import entry_from_metadata

# All that the Hub's documentation lists, as of August 2026.
OF_THE_HUB = """
apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear
c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0
cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl
ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1
lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl
openmdw-1.0 openmdw-1.1 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr
deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3
llama4 grok2-community gemma unknown other
""".split()


def test_the_table_has_every_licence_that_the_hub_has_an_id_for():
    assert set(catalogue().licences) == set(OF_THE_HUB)


def test_each_has_an_address_of_its_words():
    for licence in catalogue().licences.values():
        assert licence.url.startswith("https://"), licence.id


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Apache-2.0", "apache-2.0"),
        ("apache 2.0", "apache-2.0"),
        ("Apache License, Version 2.0", "apache-2.0"),
        ("MIT License", "mit"),
        ("The Unlicense", "unlicense"),
        ("GPL-3.0-or-later", "gpl-3.0"),
        ("GNU GPLv3", "gpl-3.0"),
        ("CC BY-NC 4.0", "cc-by-nc-4.0"),
        ("ODbL-1.0", "odbl"),
        ("Llama 3.1", "llama3.1"),
        ("Apache", "Apache"),  # which version is not said
        ("Acme Terms", "Acme Terms"),
    ],
)
def test_a_licence_is_known_however_it_is_written(said, meant):
    assert licence_id(said, catalogue().licences) == meant
    assert entry_from_metadata("acme/one", "hf", {"license": said}, {}, "").licence == meant


@pytest.mark.parametrize("licence", ["llama3.1", "gemma", "openrail++", "deepfloyd-if-license"])
def test_what_limits_uses_or_outputs_is_passed_on(licence):
    known = catalogue().licences
    chain = [{"id": "acme/two", "licence": "mit"}, {"id": "acme/one", "licence": licence}]
    assert known[licence].limits
    assert chain_licence(chain, known) == licence
    with pytest.raises(Refused, match="are not known to go together"):
        chain_licence([{"id": "acme/three", "licence": "gpl-3.0"}, chain[1]], known)


def test_limits_pass_on_without_a_note_and_unknown_ones_are_no_limits():
    free = Licence("acme", "Acme", True, True, False, True, "https://acme.example")
    limited = Licence("acme", "Acme", True, True, False, True, "https://acme.example", "", True)
    assert (free.passes_on, free.limits) == (False, ())
    assert (limited.passes_on, limited.limits) == (True, ("fields of use",))


@pytest.mark.parametrize("licence", ["unknown", "other", "cc-by-nd-4.0"])
def test_where_nothing_is_known_to_be_allowed_nothing_is_given_on(licence):
    with pytest.raises(Refused, match="does not allow derived models"):
        chain_licence([{"id": "acme/one", "licence": licence}], catalogue().licences)


def test_show_tells_what_a_licence_limits(hubtl_cli):
    said = hubtl_cli("show google/embeddinggemma-300m --json", HF_HUB_OFFLINE="1").json
    assert said["licence_allows"] == ["commercial", "derivatives"]
    assert said["licence_limits"] == ["fields of use", "outputs"]
