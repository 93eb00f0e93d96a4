"""Checks InvokeModel bodies of Anthropic's models: what its client for Bedrock would send.

    python tests/vendor/check_bedrock_anthropic.py tests/fixtures/translation/bedrock_anthropic/*/upstream_request.json

The client takes `model` and `stream` out of a Messages body and puts a version and betas in; what
is left must be a Messages body still. The frame around it is held against Amazon's service model.
"""

import json
import sys

import botocore.session
from botocore.validate import ParamValidator

import check_anthropic

# The only value that Amazon's documentation allows.
VERSION = "bedrock-2023-05-31"

OPERATION = botocore.session.get_session().get_service_model("bedrock-runtime")
OPERATION = OPERATION.operation_model("InvokeModelWithResponseStream")


def validate(body: dict) -> list[str]:
    """The violations of one request body; none when the client could have sent it."""
    if not isinstance(body, dict):
        return ["body: not an object"]
    params = {"modelId": "the-model", "body": json.dumps(body).encode()}
    report = ParamValidator().validate(params, OPERATION.input_shape)
    violations = report.generate_report().splitlines() if report.has_errors() else []
    return violations + of_cloud(body, VERSION, with_betas=True, with_stream=False)


def of_cloud(body: dict, version: str, with_betas: bool, with_stream: bool) -> list[str]:
    """The violations of a Messages body as a cloud takes it."""
    rest = dict(body)
    violations = []
    if rest.pop("anthropic_version", None) != version:
        violations.append(f"anthropic_version: not {version}")
    if with_betas:
        betas = rest.pop("anthropic_beta", [])
        if not (isinstance(betas, list) and all(isinstance(beta, str) for beta in betas)):
            violations.append("anthropic_beta: not a list of texts")
    if "stream" in rest and not with_stream:
        violations.append("stream: it stands in the path")
    if "model" in rest:
        violations.append("model: it stands in the path")
    return violations + check_anthropic.validate(rest | {"model": "the-model"})


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
