"""OpenAI's own SDK, on legacy completions: every provider answers them by chat."""

import check_completions
import openai
import pytest
from conftest import MODELS, models_by, vendor_of
from gateway import VENDORS
from replies import verdicts

#: Every schema, and a model whose first candidate is down.
model = models_by(VENDORS)


def test_a_completion(client, model):
    completion = client.completions.create(model=model, prompt="marco", echo=True, max_tokens=50)
    vendor, choice = vendor_of(model), completion.choices[0]
    assert choice.text.startswith("marco") and f"Hello from {vendor}" in choice.text
    assert (completion.object, completion.model) == ("text_completion", MODELS[vendor])
    assert completion.id.startswith("cmpl-") and choice.finish_reason == "stop"
    assert completion.usage.total_tokens > 0


def test_a_stream(client, model):
    options = {"include_usage": True}
    stream = client.completions.create(
        model=model, prompt="marco", stream=True, stream_options=options
    )
    chunks = list(stream)
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert f"Hello from {vendor_of(model)}" in text and "marco" in text
    assert [c.finish_reason for chunk in chunks for c in chunk.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens > 0


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_every_field_has_its_type(gateway, model, stream):
    body = {"model": model, "prompt": "marco", "stream": stream, "best_of": 2}
    reply = gateway.http.post("/v1/completions", json=body)
    assert reply.status_code == 200
    if stream:
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert check_completions.validate_stream(reply.text) == []
    else:
        assert check_completions.validate(reply.json()) == []
    expected = [("openai", "overloaded")] if model == "openai-first" else []
    assert verdicts(reply) == [*expected, (vendor_of(model), "ok")]
    assert "dropped best_of" in reply.headers["x-pointsman-fidelity"]


def test_what_a_chat_cannot_do_is_refused_by_name(client):
    for prompt, param in [([1, 2], "prompt"), (["a", "b"], "prompt")]:
        with pytest.raises(openai.BadRequestError) as refused:
            client.completions.create(model="openai-only", prompt=prompt)
        assert refused.value.param == param
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model="openai-only", prompt="a", suffix="b")
    assert refused.value.param == "suffix"


def test_when_everybody_is_down_the_error_is_openais(gateway, client):
    for vendor in ("openai", "anthropic"):
        gateway.standins[vendor].fail({"kind": "status", "status": 503})
    with pytest.raises(openai.APIStatusError) as failed:
        client.completions.create(model="openai-first", prompt="a")
    assert failed.value.status_code == 503 and failed.value.type
