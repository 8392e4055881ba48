"""The description of the API is whole: what each route is for, what may be sent, and how it is refused.

What is said of a route beyond its code stands in src/shuke/app/description.toml; who adds a route adds a line there.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import jsonschema
import pytest

from shuke.app.openapi import description
from shuke.platform.http import PROBLEM

# What is empty where there is none, or is made by the write itself.
NEVER_ABSENT = {
    "GET /api/customers/{customer_id}/timeline",
    "GET /api/customers/{customer_id}/orders",
    "POST /api/sources/{name}/key",
}
# Of routes by which people come in, which every browser asks before it knows anything.
ALWAYS = {"401", "403", "422", "503"}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return description()


def operations(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is said of each route below /api."""
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def bodies(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is said of each body that a route takes as JSON, by the route."""
    for route, operation in operations(told):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            yield route, content["application/json"]


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
    assert {route: found for route, body in bodies(told) if (found := list(open_objects(told, body["schema"])))} == {}
    planted = {"components": {"schemas": {"Open": {"title": "Open", "properties": {"a": {}}}}}}
    inside = {"properties": {"x": {"anyOf": [{"$ref": "#/c/Open"}]}}, "additionalProperties": False}
    assert list(open_objects(planted, inside)) == ["Open"]


def test_every_route_says_what_it_is_for(told: dict[str, Any]) -> None:
    # Where nobody says it, the framework makes it of a function's name: Get Setup.
    made_up = [route for route, one in operations(told) if one["summary"].istitle() or not one["summary"][0].isupper()]
    assert made_up == []
    summaries = [one["summary"] for _, one in operations(told)]
    assert len(summaries) == len(set(summaries))


def untrue_examples(told: dict[str, Any]) -> list[str]:
    """The routes that take a body and have no example of it, or one that would not be taken."""
    found = []
    for route, body in bodies(told):
        schema = {**body["schema"], "components": told["components"]}
        checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        if "example" not in body or not checker.is_valid(body["example"]):
            found.append(route)
    return found


def test_every_body_has_an_example_that_is_taken(told: dict[str, Any]) -> None:
    assert untrue_examples(told) == []
    planted = deepcopy(told)
    planted["paths"]["/api/merges"]["post"]["requestBody"]["content"]["application/json"]["example"]["winner"] = 7
    del planted["paths"]["/api/teams"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert sorted(untrue_examples(planted)) == ["POST /api/merges", "POST /api/teams"]


def test_every_route_says_how_it_refuses(told: dict[str, Any]) -> None:
    for route, operation in operations(told):
        refusals = {status: one for status, one in operation["responses"].items() if status >= "400"}
        assert refusals.keys() >= ALWAYS, route
        assert all(PROBLEM in one["content"] and one["description"] for one in refusals.values()), route
        # What names a thing may name one that is not there; what states a thing makes it.
        if "{" in route and not route.startswith("PUT") and route not in NEVER_ABSENT:
            assert "404" in refusals, route
