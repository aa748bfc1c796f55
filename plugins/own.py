"""The plugins that hubtl comes with, by what they offer.

Each is imported when that is first asked for: to import all of them takes longer than a search.
"""

from __future__ import annotations

from collections.abc import Mapping

OWN: Mapping[str, tuple[str, ...]] = {
    "register_hubs": ("hubs.starter", "hubs.hf", "hubs.folder"),
    "register_tasks": (
        "tasks.text_classification",
        "tasks.token_classification",
        "tasks.sentence_similarity",
        "tasks.image_classification",
        "tasks.audio_classification",
        "tasks.automatic_speech_recognition",
        "tasks.text_generation",
    ),
    "register_methods": (
        "methods.probe",
        "methods.top",
        "methods.lora",
        "methods.norm",
        "methods.full",
        "methods.fewshot",
    ),
    "register_recipes": ("recipes",),
    "register_scorers": (
        "scorers.probe",
        "scorers.neighbours",
        "scorers.logme",
        "scorers.h_score",
        "scorers.nleep",
    ),
    "register_demos": ("demos.text", "demos.vision", "demos.speech"),
    "register_exports": ("exports.merged", "exports.onnx"),
    "before_publish": (
        "gates.licence",
        "gates.files",
        "gates.weights",
        "gates.card",
        "gates.private",
    ),
}
BUILT_IN = tuple(name for names in OWN.values() for name in names)
