"""Checks Converse bodies against the service model of Amazon's official Python SDK.

    python tests/vendor/check_bedrock.py tests/fixtures/translation/bedrock_converse/*/upstream_request.json

Prints every violation and exits non-zero when there is one. Stricter than the SDK itself, which
leaves patterns, enumerations and most upper bounds to the service, and checks what the API
reference says of a conversation in words. A folder's `upstream_response.bin` is read with the
SDK's own decoder: `read_frames(bytes)`.
"""

import base64
import binascii
import json
import re
import sys

import botocore.session
from botocore.eventstream import EventStreamBuffer
from botocore.validate import ParamValidator

MODEL = botocore.session.get_session().get_service_model("bedrock-runtime")
# The streamed operation takes the same body, but for one mode of guardrails.
REQUEST = MODEL.operation_model("ConverseStream").input_shape
EVENTS = MODEL.operation_model("ConverseStream").output_shape.members["stream"]
CHUNKS = MODEL.operation_model("InvokeModelWithResponseStream").output_shape.members["body"]

# Documented in words only.
DOCUMENT_NAME = re.compile(r"[a-zA-Z0-9()\[\]-]+( [a-zA-Z0-9()\[\]-]+)*")


def validate(body: dict) -> list[str]:
    """The violations of one request body; none when the SDK could have sent it."""
    if not isinstance(body, dict):
        return ["body: not an object"]
    violations = []
    params = decoded(body, REQUEST, "", violations)
    params.setdefault("modelId", "the-model")
    report = ParamValidator().validate(params, REQUEST)
    if report.has_errors():
        violations += report.generate_report().splitlines()
    if violations:
        return violations
    return constraints(params, REQUEST, "") + conversation(params)


def decoded(value, shape, where, violations):
    """The value as the SDK's caller would have written it: bytes where JSON has base64."""
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return value
    if kind == "structure" and isinstance(value, dict):
        return {
            name: decoded(item, shape.members[name], f"{where}.{name}", violations)
            if name in shape.members
            else item
            for name, item in value.items()
        }
    if kind == "list" and isinstance(value, list):
        return [
            decoded(item, shape.member, f"{where}[{i}]", violations) for i, item in enumerate(value)
        ]
    if kind == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            violations.append(f"{where}: not base64")
    return value


def constraints(value, shape, where) -> list[str]:
    """Violations of patterns, enumerations and bounds."""
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return []
    if kind == "structure":
        members = [(f"{where}.{k}", v, shape.members[k]) for k, v in value.items()]
    elif kind == "list":
        members = [(f"{where}[{i}]", v, shape.member) for i, v in enumerate(value)]
    elif kind == "map":
        members = [(f"{where}.{k}", v, shape.value) for k, v in value.items()]
        members += [(f"{where}.{k} (key)", k, shape.key) for k in value]
    else:
        members = []
    nested = [violation for at, v, member in members for violation in constraints(v, member, at)]
    return own_constraints(value, shape, where) + nested


def own_constraints(value, shape, where) -> list[str]:
    violations = []
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not re.fullmatch(pattern, value):
        violations.append(f"{where}: does not match {pattern}")
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        violations.append(f"{where}: not one of {enum}")
    size = value if isinstance(value, (int, float)) else len(value) if hasattr(value, "__len__") else 0
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        violations.append(f"{where}: less than {low}")
    if high is not None and size > high:
        violations.append(f"{where}: more than {high}")
    return violations


def conversation(params) -> list[str]:
    """Violations of what the API reference says in words."""
    violations, names, called = [], [], set()
    turns = params.get("messages", [])
    roles = [turn["role"] for turn in turns]
    if not roles or roles[0] != "user":
        violations.append(".messages: does not begin with the user")
    if any(a == b for a, b in zip(roles, roles[1:])):
        violations.append(".messages: two turns of the same role")
    for i, turn in enumerate(turns):
        where, content = f".messages[{i}]", turn["content"]
        kinds = {kind for block in content for kind in block}
        if not content:
            violations.append(f"{where}: no content")
        if "document" in kinds and "text" not in kinds:
            violations.append(f"{where}: a document without text")
        if kinds & {"image", "document", "video", "audio"} and turn["role"] != "user":
            violations.append(f"{where}: media that is not the user's")
        for block in content:
            violations += block_violations(block, where, called)
            names += [block["document"]["name"]] if "document" in block else []
    violations += [f"{name}: not a document's name" for name in names if not DOCUMENT_NAME.fullmatch(name)]
    if len(names) != len(set(names)):
        violations.append(".messages: two documents of the same name")
    if called and "toolConfig" not in params:
        violations.append(".toolConfig: missing beside tool blocks")
    return violations


def block_violations(block, where, called) -> list[str]:
    violations = []
    if "text" in block and not block["text"].strip():
        violations.append(f"{where}: blank text")
    if "toolUse" in block:
        called.add(block["toolUse"]["toolUseId"])
        if not isinstance(block["toolUse"]["input"], dict):
            violations.append(f"{where}: arguments that are no object")
    if "toolResult" in block:
        if block["toolResult"]["toolUseId"] not in called:
            violations.append(f"{where}: the result of no call")
        if not block["toolResult"]["content"]:
            violations.append(f"{where}: a result without content")
        for inner in block["toolResult"]["content"]:
            violations += block_violations(inner, where, called)
    return violations


def read_frames(data: bytes) -> list[tuple[str, dict]]:
    """The events of a stream, as the SDK decodes them: name and payload.

    Raises what the SDK raises for a broken frame; an event that the service model does not
    know, or that is not JSON, has the payload `None`.
    """
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    events = []
    for message in buffer:
        headers = message.headers
        name = headers.get(":event-type") or headers.get(":exception-type") or headers[":error-code"]
        known = name in EVENTS.members or name in CHUNKS.members
        events.append((name, loaded(message.payload) if known else None))
    return events


def loaded(payload: bytes):
    try:
        return json.loads(payload)
    except ValueError:
        return None


def main(paths) -> int:
    count = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for violation in validate(json.load(file)):
                print(f"{path}: {violation}")
                count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
