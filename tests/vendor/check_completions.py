"""Checks replies of the Completions surface against the types of OpenAI's official Python SDK.

    python tests/vendor/check_completions.py tests/fixtures/surface/completions/*/client_response.*

Prints every violation and exits non-zero when there is one.
"""

import json
import sys

from check_openai_types import check
from openai.types import Completion
from pydantic import TypeAdapter

COMPLETION = TypeAdapter(Completion)


def validate(body) -> list[str]:
    """The violations of one whole completion."""
    return check(COMPLETION, body, "body")


def validate_stream(text: str) -> list[str]:
    """The violations of a stream: of its chunks, and of its end."""
    events = [event.removeprefix("data: ") for event in text.split("\n\n") if event]
    *chunks, last = events
    if last != "[DONE]" and "error" not in json.loads(last):
        return ["stream: ends neither with [DONE] nor with an error"]
    # The SDK's own type for chunks is that of whole completions, though a chunk may be open.
    bodies = [json.loads(chunk) for chunk in chunks]
    return [v for body in bodies for v in check(COMPLETION, closed(body), "chunk")]


def closed(chunk):
    """The chunk with a reason to stop, which the type wants and chunks leave out."""
    choices = [
        choice | {"finish_reason": choice["finish_reason"] or "stop"} for choice in chunk["choices"]
    ]
    return chunk | {"choices": choices}


def validate_file(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return validate_stream(text) if path.endswith(".sse") else validate(json.loads(text))


def main(paths) -> int:
    violations = [f"{path}: {violation}" for path in paths for violation in validate_file(path)]
    print("\n".join(violations) or f"{len(paths)} files, no violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
