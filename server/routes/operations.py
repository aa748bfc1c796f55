"""Running the hub: is it well, what has it done, and what does it answer to."""

from __future__ import annotations

from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import func, select

from ..openapi import description
from ..routing import Answer, Call, Routes
from ..schema import objects, repos

routes = Routes()


@routes.get("/healthz")
def health(call: Call) -> dict[str, str]:
    """Say that the hub answers and that its database does."""
    with call.hub.database.reading() as db:
        db.execute(select(func.count()).select_from(repos)).scalar_one()
    return {"status": "ok"}


@routes.get("/metrics")
def metrics(call: Call) -> Answer:
    """Return counts for Prometheus."""
    with call.hub.database.reading() as db:
        # Who may not see the others may not learn how many there are either.
        number = db.execute(select(func.count()).where(~repos.c.private)).scalar_one()
        size = db.execute(select(func.coalesce(func.sum(objects.c.size), 0))).scalar_one()
    kept = (
        "# HELP hubtl_repositories Public repositories.\n"
        f"# TYPE hubtl_repositories gauge\nhubtl_repositories {number}\n"
        f"# TYPE hubtl_stored_bytes gauge\nhubtl_stored_bytes {size}\n"
    )
    text = generate_latest(call.hub.registry).decode() + kept
    return Answer(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


@routes.get("/openapi.json")
def openapi(call: Call) -> dict[str, Any]:
    """Describe all addresses of this hub, as OpenAPI 3.1."""
    from . import ALL

    return description(ALL, call.base)


@routes.get("/api/agent-harnesses")
def agent_harnesses(call: Call) -> dict[str, Any]:
    """Return no harnesses: clients ask at their start."""
    return {"standardEnvVars": [], "harnesses": {}}


@routes.get("/api/telemetry/{path:path}")
def telemetry(call: Call) -> Answer:
    """Take note of nothing."""
    return Answer("OK")
