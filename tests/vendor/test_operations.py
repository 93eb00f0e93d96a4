"""Bodies of embeddings and rerank are what the vendors' own SDKs send, and replies what they read.

Each body's fields are given to the SDK's own method, which must send the same body; each reply that
a client gets must have the type that the client's SDK names.
"""

import inspect
import json
import pathlib

import botocore.session
import cohere
import pytest
from anthropic.types import MessageCountTokensParams
from botocore.validate import ParamValidator
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials
from mistralai.client.models import EmbeddingRequest
from openai.types import CreateEmbeddingResponse, EmbeddingCreateParams
from pydantic import TypeAdapter

OPERATIONS = pathlib.Path(__file__).parents[1] / "fixtures" / "operations"

#: What Bedrock's models take in InvokeModel's free-form body.
#: Source: Amazon Bedrock user guide, "Amazon Titan Text Embeddings", "Cohere Embed v3", "Cohere
#: Embed v4" and "Cohere Rerank", read 2026-11-21.
INVOKED = {
    "titan-embed-text-v1": {"inputText": str},
    "titan-embed-text-v2": {
        "inputText": str,
        "dimensions": {256, 512, 1024},
        "normalize": bool,
        "embeddingTypes": list,
    },
    "cohere.embed-english-v3": {
        "texts": list,
        "input_type": {"search_document", "search_query", "classification", "clustering"},
        "truncate": {"NONE", "START", "END"},
        "embedding_types": list,
    },
    "cohere.embed-v4": {
        "texts": list,
        "input_type": {"search_document", "search_query", "classification", "clustering"},
        "truncate": {"NONE", "LEFT", "RIGHT"},
        "embedding_types": list,
        "output_dimension": int,
        "max_tokens": int,
    },
    "cohere.rerank-v3-5": {"query": str, "documents": list, "top_n": int, "api_version": int},
}

#: What speakers of OpenAI's schema take besides.
BESIDES = {"vllm": {"input_type"}}


def fixtures(operation, *providers, name="upstream_request.json"):
    paths = sorted(OPERATIONS.glob(f"*/{operation}/*/{name}"))
    chosen = [path for path in paths if not providers or path.parts[-4] in providers]
    assert chosen, f"no {name} of {operation} of {providers}"
    return [pytest.param(path, id=f"{path.parts[-4]}_{path.parts[-2]}") for path in chosen]


def load(path):
    return json.loads(path.read_text())


def unknown(body, method):
    """Fields that the SDK's method has no argument for, and missing ones."""
    parameters = inspect.signature(method).parameters
    required = {n for n, p in parameters.items() if p.default is p.empty} - {"self"}
    return (body.keys() - parameters.keys()) | (required - body.keys())


SPEAKERS_OF_OPENAI = sorted(
    {p.parts[-4] for p in OPERATIONS.glob("*/embeddings/*/upstream_request.json")}
    - {"bedrock", "cohere", "gemini", "mistral", "vertex_gemini"}
)


@pytest.mark.parametrize("path", fixtures("embeddings", *SPEAKERS_OF_OPENAI))
def test_openai_takes_the_embeddings(path):
    body = load(path)["body"]
    known = EmbeddingCreateParams.__annotations__
    assert body.keys() <= known.keys() | BESIDES.get(path.parts[-4], set())
    TypeAdapter(EmbeddingCreateParams).validate_python(body)


@pytest.mark.parametrize("path", fixtures("embeddings", name="client_response.json"))
def test_openais_sdk_reads_every_provider_s_vectors(path):
    reply = load(path)
    for vector in reply["data"]:
        # The SDK decodes these by itself, and its type names only what it makes of them.
        vector["embedding"] = [] if isinstance(vector["embedding"], str) else vector["embedding"]
    read = CreateEmbeddingResponse.model_validate(reply, strict=True)
    assert [vector.index for vector in read.data] == list(range(len(read.data)))


@pytest.mark.parametrize("path", fixtures("embeddings", "mistral"))
def test_mistral_takes_the_embeddings(path):
    body = load(path)["body"]
    fields = {field.alias or name for name, field in EmbeddingRequest.model_fields.items()}
    assert body.keys() <= fields
    sent = EmbeddingRequest.model_validate(body).model_dump(mode="json", by_alias=True)
    assert {name: sent[name] for name in body} == body


@pytest.mark.parametrize("path", fixtures("embeddings", "cohere"))
def test_cohere_takes_the_embeddings(path):
    assert not unknown(load(path)["body"], cohere.ClientV2.embed)


@pytest.mark.parametrize("path", fixtures("rerank", "cohere"))
def test_cohere_takes_the_rerank(path):
    assert not unknown(load(path)["body"], cohere.ClientV2.rerank)
    assert all(isinstance(document, str) for document in load(path)["body"]["documents"])


@pytest.mark.parametrize("path", fixtures("rerank", "cohere", name="client_response.json"))
def test_cohere_s_sdk_reads_the_ranks(path):
    cohere.V2RerankResponse.model_validate(load(path))


class Sent(Exception):
    """What Google's SDK was about to send."""


def google_sends(monkeypatch, path, texts, settings, **where):
    """The path and the body that Google's SDK makes of these texts."""
    client = genai.Client(**where)
    contents = [types.Content(parts=[types.Part(text=text)]) for text in texts]

    def stop(method, path, body, options=None):
        raise Sent(path, {k: v for k, v in body.items() if not k.startswith("_")})

    monkeypatch.setattr(client._api_client, "request", stop)
    model = path.split("/models/")[1].split(":")[0]
    with pytest.raises(Sent) as sent:
        client.models.embed_content(model=model, contents=contents, config=settings or None)
    return sent.value.args


def texts_of(body):
    for one in body.get("requests", body.get("instances")):
        content = one["content"]
        yield content if isinstance(content, str) else content["parts"][0]["text"]


def settings_of(body):
    """The settings of a body, as the SDK calls them."""
    first = body.get("requests", body.get("instances"))[0]
    settings = {**first, **first.get("embedContentConfig", {}), **body.get("parameters", {})}
    return {name: settings[name] for name in settings if name not in FORM}


#: What a request holds besides its settings.
FORM = {"content", "model", "embedContentConfig"}


@pytest.mark.parametrize("path", fixtures("embeddings", "gemini"))
def test_google_s_sdk_sends_the_same_to_its_studio(path, monkeypatch):
    where, body = load(path).values()
    settings = settings_of(body)
    sent = google_sends(monkeypatch, where, list(texts_of(body)), settings, api_key="k")
    assert as_text(sent[1]) == as_text(body)
    assert where == f"/{sent[0]}"


@pytest.mark.parametrize("path", fixtures("embeddings", "vertex_gemini"))
def test_google_s_sdk_sends_the_same_to_its_cloud(path, monkeypatch):
    where, body = load(path).values()
    settings = settings_of(body)
    cloud = {"vertexai": True, "project": "p", "location": "l", "credentials": Credentials("t")}
    sent = google_sends(monkeypatch, where, list(texts_of(body)), settings, **cloud)
    assert as_text(sent[1]) == as_text(body)
    assert where == f"/{sent[0]}"


def as_text(body):
    """Contents as the API reads them: the role of a text to embed says nothing."""
    parts = [{"text": text} for text in texts_of(body)]
    requests = [
        {**one, "content": one["content"] if isinstance(one["content"], str) else {"parts": [part]}}
        for one, part in zip(body.get("requests", body.get("instances")), parts)
    ]
    return {**body, "requests" if "requests" in body else "instances": requests}


def invoked(path):
    body, where = load(path)["body"], load(path)["path"]
    (model,) = [name for name in INVOKED if name in where]
    return body, INVOKED[model]


@pytest.mark.parametrize("path", fixtures("embeddings", "bedrock") + fixtures("rerank", "bedrock"))
def test_bedrock_s_model_takes_the_invocation(path):
    body, fields = invoked(path)
    assert invocation_violations(body, fields) == []
    assert invocation_violations(body | {"model": "m"}, fields) != []


def invocation_violations(body, fields):
    bad = []
    for name, value in body.items():
        kind = fields.get(name)
        fits = kind and (value in kind if isinstance(kind, set) else isinstance(value, kind))
        bad += [] if fits else [f"{name}: {value!r}"]
    return bad


def counts(*providers):
    return fixtures("message_tokens", *providers) + fixtures("input_tokens", *providers)


@pytest.mark.parametrize("path", counts("bedrock", "bedrock_anthropic"))
def test_bedrock_takes_what_is_counted(path):
    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    shape = model.operation_model("CountTokens").input_shape
    body = load(path)["body"]
    found = ParamValidator().validate({"modelId": "m", **body}, shape)
    assert not found.has_errors(), found.generate_report()


@pytest.mark.parametrize("path", counts("gemini", "vertex_gemini"))
def test_google_takes_what_is_counted(path):
    body = load(path)["body"]
    if "vertex" in str(path):
        assert body.keys() <= {"contents", "systemInstruction", "tools", "generationConfig"}
    else:
        [body] = body.values()
        assert body.pop("model") == "models/the-model"
    types.Content.model_validate(body["systemInstruction"])
    TypeAdapter(list[types.Content]).validate_python(body["contents"])
    TypeAdapter(list[types.Tool]).validate_python(body.get("tools", []))


@pytest.mark.parametrize("path", fixtures("message_tokens", "vertex_anthropic"))
def test_anthropic_takes_what_is_counted(path):
    body = load(path)["body"]
    assert body.pop("anthropic_version") == "vertex-2023-10-16"
    TypeAdapter(MessageCountTokensParams).validate_python(body)
    assert body.keys() <= MessageCountTokensParams.__annotations__.keys()
