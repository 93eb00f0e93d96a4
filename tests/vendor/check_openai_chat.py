"""Checks chat bodies against the types of OpenAI's official Python SDK, and replies too.

    python tests/vendor/check_openai_chat.py tests/fixtures/translation/*/*/client_response.*

Prints every violation and exits non-zero when there is one. Stricter than the SDK itself: a key
that a type does not name is a violation at any depth, unless this gateway documents it.
"""

import json
import sys

from check_anthropic import check
from openai import BaseModel
from openai.types.chat import ChatCompletion, ChatCompletionChunk, completion_create_params
from pydantic import TypeAdapter, ValidationError

BODIES = {
    False: completion_create_params.CompletionCreateParamsNonStreaming,
    True: completion_create_params.CompletionCreateParamsStreaming,
}
WHOLE, CHUNK = TypeAdapter(ChatCompletion), TypeAdapter(ChatCompletionChunk)

#: What replies hold besides, by the type that holds it.
EXTENSIONS = {
    "ChatCompletionMessage": {"reasoning_content", "reasoning_details", "images"},
    "ChoiceDelta": {"reasoning_content", "reasoning_details", "images", "annotations"},
    "ChatCompletionMessageFunctionToolCall": {"extra_content"},
    "ChoiceDeltaToolCall": {"extra_content"},
    "ChatCompletion": {"provider_metadata"},
    "ChatCompletionChunk": {"provider_metadata"},
    "Choice": {"provider_metadata"},
}


def validate(body: dict) -> list[str]:
    """The violations of a request."""
    said = {name: value for name, value in body.items() if value is not None}
    return check(said, BODIES[body.get("stream") is True], "") + conversation(body)


def conversation(body: dict) -> list[str]:
    """What the reference says in words: every call is answered before anything else is said."""
    violations, open_calls, seen = [], [], set()
    for i, message in enumerate(body["messages"]):
        where = f"messages[{i}]"
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                violations.append(f"{where}: the result of no open call")
            else:
                open_calls.remove(message["tool_call_id"])
            continue
        violations += [f"{where}: a call is not answered"] * bool(open_calls)
        open_calls = [call["id"] for call in message.get("tool_calls") or []]
        violations += [f"{where}: an id twice"] * bool(seen & set(open_calls))
        seen |= set(open_calls)
        if message["role"] == "assistant" and not (
            message.get("content") is not None or open_calls or message.get("function_call")
            or message.get("refusal") or message.get("audio")
        ):
            violations.append(f"{where}: says nothing")
    return violations + [".messages: the last call is not answered"] * bool(open_calls)


def validate_reply(body: dict) -> list[str]:
    """The violations of a whole reply."""
    return read(WHOLE, body, "body")


def validate_stream(text: str) -> list[str]:
    """The violations of a stream: of its chunks, what links them, and its end."""
    violations, ids, is_done = [], set(), False
    for i, event in enumerate(event for event in text.split("\n\n") if event):
        lines = [line for line in event.split("\n") if not line.startswith(":")]
        if not lines:
            continue
        if is_done:
            violations.append(f"event {i}: after [DONE]")
        data = "".join(line.removeprefix("data:").strip() for line in lines)
        if data == "[DONE]":
            is_done = True
            continue
        chunk = json.loads(data)
        violations += read(CHUNK, chunk, f"event {i}")
        ids.add((chunk.get("id"), chunk.get("created"), chunk.get("model")))
    return violations + [f"chunks of {len(ids)} replies"] * (len(ids) > 1)


def read(adapter, value, where) -> list[str]:
    try:
        parsed = adapter.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        return [f"{where}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return list(unknown(parsed, where))


def unknown(value, where):
    if isinstance(value, BaseModel):
        kind = type(value).__name__
        for name in set(value.model_extra or {}) - EXTENSIONS.get(kind, set()):
            yield f"{where}.{name}: not a field of {kind}"
        for name in value.model_fields_set & set(type(value).model_fields):
            yield from unknown(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, (list, tuple)):
        for i, each in enumerate(value):
            yield from unknown(each, f"{where}[{i}]")


def validate_file(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return validate_stream(text) if path.endswith(".sse") else validate_reply(json.loads(text))


def main(paths) -> int:
    violations = [f"{path}: {violation}" for path in paths for violation in validate_file(path)]
    print("\n".join(violations) or f"{len(paths)} files, no violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
