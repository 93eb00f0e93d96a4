"""Embeddings with OpenAI's SDK and rerank with Cohere's, on real Envoy."""

import cohere
import openai
import pytest
from gateway import STEADFAST, Gateway, Standins, provider

TEXTS = ["Hello", 'Ünïcode "quoted"\n']


@pytest.fixture(scope="module")
def own_gateway(binaries, tmp_path_factory):
    folder = tmp_path_factory.mktemp("operations")
    standins = Standins(binaries, folder / "standins", ("openai", "gemini", "bedrock", "cohere"))
    of = {s.name: provider(s, **STEADFAST) for s in standins}
    of["ranker"] = {**of["openai"], "kind": "vllm"}

    def model(*candidates):
        return {"candidates": [{"provider": p, "model": m} for p, m in candidates]}

    document = {
        "providers": of,
        "models": {
            "openai": model(("openai", "text-embedding-3-small")),
            "gemini": model(("gemini", "gemini-embedding-001")),
            "cohere": model(("cohere", "embed-v4.0")),
            "titan": model(("bedrock", "amazon.titan-embed-text-v2:0")),
            "bedrock-cohere": model(("bedrock", "cohere.embed-v4:0")),
            "any": model(
                ("bedrock", "amazon.titan-embed-text-v2:0"),
                ("openai", "text-embedding-3-small"),
                ("gemini", "gemini-embedding-001"),
            ),
            "ranks": model(("cohere", "rerank-v3.5"), ("bedrock", "cohere.rerank-v3-5:0")),
            "server-ranks": model(("ranker", "bge-reranker")),
        },
        "defaults": {"timeouts": {"per_try": "2s"}},
    }
    gateway = Gateway(binaries, folder / "gateway", document, standins)
    yield gateway
    gateway.close()
    standins.close()


@pytest.fixture
def gateway(own_gateway):
    own_gateway.standins.reset()
    return own_gateway


@pytest.fixture
def embed(gateway):
    client = openai.OpenAI(base_url=f"{gateway.envoy.url}/v1", api_key="any", max_retries=0)
    yield client.embeddings.with_raw_response.create
    client.close()


@pytest.fixture
def rerank(gateway):
    client = cohere.ClientV2(api_key="any", base_url=gateway.envoy.url)
    return client.rerank


# What the stand-ins make of a text: its length in bytes first, then halves.
def vector(text, size=4):
    return [float(len(text.encode())), *(1 / (i + 1) for i in range(1, size))]


@pytest.mark.parametrize("model", ["openai", "gemini", "cohere", "bedrock-cohere"])
@pytest.mark.parametrize("form", [None, "float"])
def test_every_provider_embeds_a_batch(embed, model, form):
    # Without a wish the SDK asks for base64, and decodes it.
    wish = {"encoding_format": form} if form else {}
    reply = embed(model=model, input=TEXTS, dimensions=6, **wish).parse()
    assert [item.index for item in reply.data] == [0, 1]
    for item, text in zip(reply.data, TEXTS):
        assert item.embedding == pytest.approx(vector(text, 6))


def test_one_text_at_a_time_goes_to_titan_and_a_batch_past_it(embed, gateway):
    assert embed(model="titan", input="Hello").parse().data[0].embedding == pytest.approx(
        vector("Hello")
    )
    with pytest.raises(openai.BadRequestError) as error:
        embed(model="titan", input=TEXTS)
    assert "one text" in str(error.value) and error.value.code == "no_able_candidate"
    reply = embed(model="any", input=TEXTS)
    assert reply.headers["x-pointsman-answered-by"] == "openai/text-embedding-3-small"
    assert len(gateway.standins["bedrock"].records()) == 1


def test_embeddings_fail_over_between_schemas_and_are_logged(embed, gateway):
    gateway.standins["openai"].fail({"kind": "status", "status": 429})
    gateway.standins["bedrock"].fail({"kind": "status", "status": 503})
    reply = embed(model="any", input="Hello", user="u-1")
    trail = reply.headers["x-pointsman-attempts"].split(", ")
    assert [attempt.split(";")[0] for attempt in trail] == [
        "bedrock/amazon.titan-embed-text-v2:0",
        "openai/text-embedding-3-small",
        "gemini/gemini-embedding-001",
    ]
    assert reply.headers["x-pointsman-fidelity"] == "dropped user"
    assert reply.parse().data[0].embedding == pytest.approx(vector("Hello"))
    line = gateway.envoy.logged(reply)
    assert line["path"] == "/v1/embeddings"
    assert line["gen_ai.operation.name"] == "embeddings"
    assert line["gen_ai.provider.name"] == "gemini"
    assert line["gen_ai.usage.input_tokens"] == "1"


def test_cohere_is_told_what_embeddings_are_for(embed, gateway):
    reply = embed(model="cohere", input="Hello")
    assert reply.headers["x-pointsman-fidelity"] == "defaulted input_type"
    record = gateway.standins["cohere"].only_record()
    assert record.body["input_type"] == "search_document"
    embed(model="cohere", input="Hello", extra_body={"input_type": "query"})
    assert gateway.standins["cohere"].records()[-1].body["input_type"] == "search_query"


def test_a_model_that_offers_no_rerank_is_named(gateway):
    body = {"model": "gemini", "query": "q", "documents": ["a"]}
    error = gateway.http.post("/v1/rerank", json=body).json()["error"]
    assert error["code"] == "no_able_candidate" and "not offered" in error["message"]


def test_rerank_with_coheres_sdk_fails_over_to_bedrock(rerank, gateway):
    documents = ["Paris", "Berlin is larger", "Rome it is"]
    reply = rerank(model="ranks", query="the capital", documents=documents, top_n=2)
    assert [result.index for result in reply.results] == [1, 2]
    gateway.standins["cohere"].fail({"kind": "status", "status": 500})
    reply = rerank(model="ranks", query="the capital", documents=documents, top_n=2)
    assert [result.index for result in reply.results] == [1, 2]
    record = gateway.standins["bedrock"].only_record()
    assert record.path.endswith("/invoke") and record.body["api_version"] == 2


def test_a_model_server_ranks_under_any_spelling(gateway):
    body = {"model": "server-ranks", "query": "q", "documents": ["a", "bb"]}
    for path in ["/v1/rerank", "/v2/rerank"]:
        reply = gateway.http.post(path, json=body)
        assert reply.status_code == 200, reply.text
        assert [r["index"] for r in reply.json()["results"]] == [1, 0]
    assert gateway.http.get("/v1/rerank").status_code == 405
    assert gateway.http.post("/v3/rerank", json=body).status_code == 404
