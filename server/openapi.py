"""The hub's addresses as OpenAPI describes them, made from the routes themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .routing import Route

PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
KINDS = ["models", "datasets", "spaces", "kernels"]
BODIES = {
    "json": {"application/json": {"schema": {"type": "object"}}},
    "form": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
    "file": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


def description(routes: Iterable[Route], server: str) -> dict[str, Any]:
    """Return the description of all routes, as OpenAPI 3.1 has it."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "hubtl team hub", "version": "1"},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(route: Route) -> dict[str, Any]:
    said: dict[str, Any] = {
        "summary": (route.handler.__doc__ or "").strip().partition("\n")[0],
        "parameters": [
            _path_parameter(*match.groups()) for match in PARAMETER.finditer(route.path)
        ],
        "responses": {"default": {"description": "JSON, a content, or a refusal in words"}},
        "security": [{"token": []}] if route.private else [{}, {"token": []}],
    }
    said["parameters"] += [
        {"name": name, "in": "query", "schema": {"type": "string"}} for name in route.query
    ]
    if route.takes != "nothing":
        said["requestBody"] = {"content": BODIES[route.takes]}
    return said


def _path_parameter(name: str, kind: str | None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if kind == "kind":
        schema = {"type": "string", "enum": KINDS}
    return {"name": name, "in": "path", "required": True, "schema": schema}
