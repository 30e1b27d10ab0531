"""The API reference page, written from the OpenAPI description and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from putlive.api.app import bare_app, openapi

_WHO = {
    "public": "anybody",
    "login": "anybody logged in, even with a one-time password",
    "viewer": "viewer, operator, admin",
    "operator": "operator, admin",
    "admin": "admin",
}
_HEAD = """# API reference

Made from the OpenAPI description (`GET /api/openapi.json`) by `putlive.api.reference`; do not edit.

- API clients send `Authorization: Bearer TOKEN`. Browsers have HttpOnly cookies and send the
  `csrf_token` of their session as `X-CSRF-Token` with everything that changes something.
- Bodies are JSON of at most 1 MiB, sent as `application/json`; unknown fields are errors.
- Every error has the shape `{"error": {"code", "message", "hint", "fields"}}`.
- Every answer carries `X-Correlation-ID`: yours (8 to 64 letters, digits, `-`, `_`) or a new one.
- While a password has to be changed, every route but those of `auth` answers 403
  `password_change_required`.
"""

Json = Mapping[str, Any]


def text() -> str:
    """The page, as it has to be in `docs/api.md`."""
    described = openapi(bare_app("docs"))
    tags: dict[str, list[str]] = {}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            lines = tags.setdefault(operation["tags"][0], [])
            lines.extend(_operation(method, path, operation))
    chapters = [f"## {tag}\n\n" + "\n".join(lines) for tag, lines in sorted(tags.items())]
    return "\n".join([_HEAD, *chapters, "## Bodies\n", *_models(described)])


def _operation(method: str, path: str, operation: Json) -> Iterator[str]:
    yield f"### {method.upper()} `{path}`\n"
    yield f"{operation['description']}\n"
    yield f"- For: {_WHO[operation['x-access']]}"
    for parameter in operation.get("parameters", ()):
        yield _parameter(parameter)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        yield f"- Request: {_body(body['schema'])}"
    failures = []
    for status, answer in operation["responses"].items():
        contents: dict[str, Any] = answer.get("content", {})
        kind = next(iter(contents), "")
        schema = contents[kind].get("schema", {}) if kind else {}
        if schema.get("$ref", "").endswith("/ErrorOut"):
            failures.append(status)
        elif kind == "application/json":
            yield f"- {status}: {_body(schema)}"
        else:
            yield f"- {status}: {f'`{kind}`' if kind else answer['description']}"
    if failures:
        yield f"- Errors: {', '.join(failures)}"
    yield ""


def _parameter(parameter: Json) -> str:
    schema = parameter["schema"]
    default = f", default {json.dumps(schema['default'])}" if "default" in schema else ""
    about = parameter.get("description", "")
    name = f"`{parameter['name']}` ({parameter['in']}, {_type(schema)}{default})"
    return f"- {name} {about}".rstrip()


def _body(schema: Json) -> str:
    name = next((s["$ref"] for s in _choices(schema) if "$ref" in s), "").rpartition("/")[2]
    return f"[{name}](#{name.lower()})" if name else "JSON"


def _models(described: Json) -> Iterator[str]:
    for name, model in sorted(described["components"]["schemas"].items()):
        yield f"### {name}\n"
        yield f"{model.get('description', '')}\n"
        for field, schema in model.get("properties", {}).items():
            optional = "" if field in model.get("required", ()) else ", optional"
            yield f"- `{field}`: {_type(schema)}{optional}"
        if "properties" in model:
            yield f"\n`{json.dumps(_example(described, model))}`"
        if "enum" in model:
            yield f"- one of {', '.join(f'`{v}`' for v in model['enum'])}"
        yield ""


def _choices(schema: Json) -> list[Json]:
    return [s for s in schema.get("anyOf", [schema]) if s.get("type") != "null"]


def _type(schema: Json) -> str:
    """What a field may hold, in a few words."""
    names = [_one_type(s) for s in _choices(schema)]
    if any(s.get("type") == "null" for s in schema.get("anyOf", ())):
        names.append("null")
    return " or ".join(dict.fromkeys(names))


def _one_type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    values = schema.get("additionalProperties")
    if kind == "object" and isinstance(values, dict):
        return f"object of {_type(values)}"
    limits = [f"{k} {schema[k]}" for k in ("minimum", "maximum", "maxLength") if k in schema]
    return " ".join([schema.get("format", kind), *(f"({limit})" for limit in limits)])


def _example(described: Json, schema: Json) -> Any:
    if schema.get("examples"):
        return schema["examples"][0]
    first = _choices(schema)[0]
    if "$ref" in first:
        first = described["components"]["schemas"][first["$ref"].rpartition("/")[2]]
    if first.get("examples"):
        return first["examples"][0]
    if first.get("type") == "array":
        return [_example(described, first["items"])]
    if first.get("type") == "object" and isinstance(first.get("additionalProperties"), dict):
        return {"name": _example(described, first["additionalProperties"])}
    return {name: _example(described, s) for name, s in first.get("properties", {}).items()}
