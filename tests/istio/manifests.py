"""Manifests: read, and held to Istio's schemas, to Envoy's types and to istiod's own rules.

`crds.json` holds the specs of Istio 1.31's CustomResourceDefinitions (Apache-2.0, istio/istio), as
the Python package cloudcoil-models-istio 1.31.0.1 (Apache-2.0) has them, without descriptions and
with every unknown field refused.
"""

import functools
import http
import json
import re
from pathlib import Path

import jsonschema
import yaml
from google.protobuf import json_format

import descriptors


@functools.cache
def schemas():
    return json.loads((Path(__file__).parent / "crds.json").read_text())


def read(text):
    """The objects of a stream of YAML documents."""
    return [each for each in yaml.safe_load_all(text) if each]


def problems(objects):
    """What Istio or Envoy would refuse, or drop in silence; one line each."""
    found = []
    for each in objects:
        where = f"{each['kind']} {each['metadata']['name']}"
        found += [f"{where}: {problem}" for problem in schema_problems(each)]
        if each["kind"] == "EnvoyFilter":
            found += [f"{where}: {problem}" for problem in patch_problems(each)]
        if each["kind"] == "VirtualService":
            found += [f"{where}: {problem}" for problem in webhook_problems(each)]
    return found


def schema_problems(each):
    if not each["apiVersion"].startswith("networking.istio.io/"):
        return
    schema = schemas().get(f"{each['apiVersion']} {each['kind']}")
    if schema is None:
        yield f"no schema for {each['apiVersion']}"
        return
    for error in jsonschema.Draft202012Validator(schema).iter_errors(each["spec"]):
        yield f"spec/{'/'.join(map(str, error.path))}: {error.message[:200]}"


def patch_problems(envoy_filter):
    for i, patch in enumerate(envoy_filter["spec"]["configPatches"]):
        try:
            descriptors.parse(descriptors.PATCHED[patch["applyTo"]], patch["patch"]["value"])
        except json_format.ParseError as error:
            yield f"configPatches[{i}]: {str(error)[:300]}"


RETRY_WORDS = set(
    "5xx gateway-error reset reset-before-request connect-failure retriable-4xx refused-stream "
    "retriable-status-codes retriable-headers envoy-ratelimited http3-post-connect-failure "
    "cancelled deadline-exceeded internal resource-exhausted unavailable".split()
)


def webhook_problems(virtual_service):
    """What the schema lets pass, and the webhook does not."""
    for route in virtual_service["spec"].get("http", []):
        for word in route.get("retries", {}).get("retryOn", "").split(","):
            known = word in RETRY_WORDS or word == ""
            is_status = re.fullmatch(r"\d{3}", word) and int(word) in set(http.HTTPStatus)
            if not known and not is_status:
                yield f"retryOn: {word!r} is not a condition that Istio takes"
        kinds = [k for k in ("route", "redirect", "directResponse") if k in route]
        if len(kinds) != 1:
            yield f"route {route.get('name')}: expected one of route, redirect, directResponse"
