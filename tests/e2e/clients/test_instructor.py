"""instructor: response models by tools and by schemas, whole and in part."""

import instructor
import openai
import pytest
from gateway import SPEAKERS
from pydantic import BaseModel

MODES = [instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA]


class Answer(BaseModel):
    """What is to be extracted."""

    title: str
    score: int
    tags: list[str]


@pytest.fixture(params=SPEAKERS)
def model(request):
    return f"{request.param}-only"


@pytest.fixture(params=MODES, ids=lambda mode: mode.name.lower())
def client(gateway, request):
    url = f"{gateway.envoy.url}/v1"
    client = openai.OpenAI(base_url=url, api_key="any", max_retries=0)
    return instructor.from_openai(client, mode=request.param)


ASK = [{"role": "user", "content": "rate this"}]
WHOLE = Answer(title="text", score=1, tags=["text"])


def test_a_response_model(client, model):
    reply, raw = client.create_with_completion(
        model=model, messages=ASK, response_model=Answer, max_retries=0
    )
    assert reply.model_dump() == WHOLE.model_dump()
    assert raw.usage.total_tokens > 0


def test_a_partial_stream(client, model):
    parts = list(client.create_partial(model=model, messages=ASK, response_model=Answer))
    assert parts[-1].model_dump() == WHOLE.model_dump()
    if model not in ("gemini-only", "mistral-only"):  # Their calls come in one piece.
        assert len(parts) > 1
