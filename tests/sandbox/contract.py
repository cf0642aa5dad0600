"""Holds traffic against the published specification: every request that was accepted, and every answer.

The specification is not part of the project; `Contract.find()` returns None where it is absent.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

SPEC = Path(__file__).resolve().parents[3] / "shared" / "specs" / "attio-openapi.json"

# The specification leaves most refusals out; what it leaves out has been seen live or is named by the newer descriptions.
KNOWN_CODES = {
    400: {
        "validation_type",
        "missing_value",
        "value_not_found",
        "filter_error",
        "immutable_value",
        "system_edit_unauthorized",
        "multiple_match_results",
        "duplicate_values",
        "multiple_values_for_single_value_attribute",
        "standard_object_disabled",
        "matching_attribute_definition_not_unique",
        "self_merge",
        "uniqueness_conflict",
        "merge_in_progress",
        "limit_reached",
    },
    401: {"unauthorized"},
    403: {"unauthorized", "billing_error"},
    404: {"not_found", "merge_in_progress"},
    409: {"slug_conflict", "concurrent_write_conflict", "uniqueness_conflict"},
    413: {"validation_type"},
    429: {"rate_limit_exceeded"},
}
TYPES = {"invalid_request_error", "auth_error", "rate_limit_error"}


class Contract:
    """The specification, and what has been held against it."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = _lenient(spec)
        self.covered: set[str] = set()
        self._operations: list[tuple[re.Pattern[str], str, str, dict[str, Any]]] = []
        for template, methods in self.spec["paths"].items():
            parts = [("[^/]+" if p.startswith("{") else re.escape(p)) for p in template.split("/")]
            pattern = "/".join(parts).replace(
                "/v2/[^/]+/[^/]+/attributes", "/v2/(?:objects|lists)/[^/]+/attributes"
            )
            for method, operation in methods.items():
                if method in {"get", "post", "put", "patch", "delete"}:
                    self._operations.append((re.compile(pattern), method.upper(), template, operation))
        # More fixed segments first: records/search is no record's path.
        self._operations.sort(key=lambda each: each[2].count("{"))
        self._validators: dict[int, Any] = {}

    @classmethod
    def find(cls) -> Contract | None:
        return cls(json.loads(SPEC.read_text())) if SPEC.exists() else None

    def operations(self) -> set[str]:
        return {f"{method} {template}" for _, method, template, _ in self._operations}

    def check(self, method: str, path: str, sent: bytes, status: int, answer: bytes) -> list[str]:
        """Return what is wrong with an exchange; operations that the specification does not have pass."""
        found = next(
            (each for each in self._operations if each[1] == method and each[0].fullmatch(path)), None
        )
        if found is None:
            return []
        _, _, template, operation = found
        name = f"{method} {template}"
        problems: list[str] = []
        if status < 300:
            self.covered.add(name)
            problems += self._request(name, operation, sent)
            problems += self._response(name, operation, status, answer)
        else:
            problems += self._refusal(name, operation, status, answer)
        return problems

    def _request(self, name: str, operation: dict[str, Any], sent: bytes) -> list[str]:
        schema = _json_schema(operation.get("requestBody"))
        if schema is None:
            return []
        return self._errors(schema, _wrapped(json.loads(sent)) if sent else None, f"{name}: request")

    def _response(self, name: str, operation: dict[str, Any], status: int, answer: bytes) -> list[str]:
        described = operation["responses"].get(str(status))
        if described is None:
            return [f"{name}: answered {status}, which the specification does not have"]
        schema = None if status == 204 else _json_schema(described)
        if schema is None:
            return [f"{name}: {status} has no body, got {answer[:80]!r}"] if answer else []
        return self._errors(schema, json.loads(answer), f"{name}: answer")

    def _refusal(self, name: str, operation: dict[str, Any], status: int, answer: bytes) -> list[str]:
        body = json.loads(answer)
        problems = []
        if set(body) - {"validation_errors"} != {"status_code", "type", "code", "message"}:
            problems.append(f"{name}: refusal has keys {sorted(body)}")
        elif body["status_code"] != status or body["type"] not in TYPES or not body["message"]:
            problems.append(f"{name}: refusal is {body}")
        elif body["code"] not in KNOWN_CODES.get(status, set()):
            problems.append(f"{name}: {status} with unknown code {body['code']}")
        for each in body.get("validation_errors", ()):
            if set(each) != {"code", "path", "message"}:
                problems.append(f"{name}: validation error is {each}")
        return problems

    def _errors(self, schema: dict[str, Any], instance: Any, what: str) -> list[str]:
        validator = self._validators.get(id(schema))
        if validator is None:
            whole = {**schema, "components": self.spec["components"]}
            validator = jsonschema.Draft202012Validator(
                whole, format_checker=jsonschema.FormatChecker(["uuid", "email"])
            )
            self._validators[id(schema)] = validator
        return [f"{what}: {_explain(error)}" for error in validator.iter_errors(instance)]


def _wrapped(body: Any) -> Any:
    """Write bare values as arrays: the guides document them, the specification forgot them."""
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, dict):
        for key in ("values", "entry_values"):
            if isinstance(data.get(key), dict):
                data[key] = {k: v if isinstance(v, list) else [v] for k, v in data[key].items()}
    return body


def _explain(error: jsonschema.ValidationError) -> str:
    deepest = jsonschema.exceptions.best_match([error])
    where = "/".join(str(part) for part in (deepest or error).absolute_path)
    return f"{where}: {(deepest or error).message[:300]}"


def _json_schema(described: dict[str, Any] | None) -> dict[str, Any] | None:
    content = (described or {}).get("content", {}).get("application/json")
    return content["schema"] if content else None


def _lenient(node: Any) -> Any:
    """Read the document as meant: `nullable`, and enums of nullable strings, let null pass."""
    if isinstance(node, list):
        return [_lenient(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: _lenient(value) for key, value in node.items()}
    if isinstance(made.get("required"), list):
        # The document writes "any matching attribute" as a literal key in brackets, which no body has.
        made["required"] = [key for key in made["required"] if not str(key).startswith("[")]
    kind = made.get("type")
    if made.pop("nullable", False) is True and isinstance(kind, str):
        kind = made["type"] = [kind, "null"]
    if isinstance(kind, list) and "null" in kind and isinstance(made.get("enum"), list):
        made["enum"] = [*made["enum"], None]
    return made
