"""Checks `rawPredict` bodies of Anthropic's models: what its client for Vertex AI would send.

    python tests/vendor/check_vertex_anthropic.py tests/fixtures/translation/vertex_anthropic/*/upstream_request.json
"""

import json
import sys

from check_bedrock_anthropic import of_cloud

# The only value that Google's documentation allows.
VERSION = "vertex-2023-10-16"


def validate(body: dict) -> list[str]:
    """The violations of one request body; none when the client could have sent it."""
    if not isinstance(body, dict):
        return ["body: not an object"]
    return of_cloud(body, VERSION, with_betas=False, with_stream=True)


def main(paths) -> int:
    """Prints the violations of all files."""
    bad = 0
    for path in paths:
        with open(path) as file:
            for violation in validate(json.load(file)):
                print(f"{path}: {violation}")
                bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
