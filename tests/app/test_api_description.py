"""The description of the API is whole: what may be sent, by which example, and how it is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from shuke.app.openapi import description


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return description()


def bodies(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema of each body that a route takes as JSON, by the route."""
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                yield f"{method.upper()} {path}", content["application/json"]["schema"]


def open_objects(told: dict[str, Any], schema: Any, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """The objects within a schema that have named fields and take others, too."""
    if isinstance(schema, list):
        for one in schema:
            yield from open_objects(told, one, seen)
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from open_objects(told, told["components"]["schemas"][name], (*seen, name))
        return
    if "properties" in schema and schema.get("additionalProperties") is not False:
        yield schema.get("title", "?")
    for one in schema.values():
        yield from open_objects(told, one, seen)


def test_a_body_has_nothing_but_what_is_described(told: dict[str, Any]) -> None:
    assert {route: found for route, schema in bodies(told) if (found := list(open_objects(told, schema)))} == {}
    planted = {"components": {"schemas": {"Open": {"title": "Open", "properties": {"a": {}}}}}}
    inside = {"properties": {"x": {"anyOf": [{"$ref": "#/c/Open"}]}}, "additionalProperties": False}
    assert list(open_objects(planted, inside)) == ["Open"]
