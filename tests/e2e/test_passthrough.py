"""OpenAI's and Anthropic's own SDKs, on what only needs another model's name."""

import anthropic
import openai
import pytest
from conftest import candidate, document
from gateway import Gateway
from replies import verdicts


@pytest.fixture(scope="module")
def passing(binaries, shared_standins, tmp_path_factory):
    config = document(shared_standins)
    # The catalogue knows of gpt-5 that it only chats.
    two = [{"provider": "openai", "model": name} for name in ("first", "second")]
    itself = candidate("openai", capabilities={"operations": ["completions"]})
    config["models"] = {
        "two": {"candidates": [candidate("gemini"), *two]},
        "claude": {"candidates": [candidate("anthropic")]},
        "gemini": {"candidates": [candidate("gemini")]},
        "cohere": {"candidates": [candidate("cohere")]},
        "itself": {"candidates": [itself]},
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("passing"), config, shared_standins)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(passing):
    passing.standins.reset()
    return passing


@pytest.fixture(params=["healthy", "first down"])
def model(request, gateway):
    """The model that answers."""
    if request.param == "healthy":
        return "first"
    gateway.standins["openai"].fail({"kind": "status", "status": 503}, times=1)
    return "second"


def test_images(client, model):
    images = client.images.generate(model="two", prompt="a cat")
    assert images.data[0].revised_prompt == model and images.usage.total_tokens == 7


def test_images_as_a_stream(client, model):
    events = list(client.images.generate(model="two", prompt="a cat", stream=True))
    assert [event.type for event in events][-1] == "image_generation.completed"


def test_an_image_is_edited(client, model):
    images = client.images.edit(model="two", prompt="a cat", image=("a.png", b"\x89PNG\r\n\x00"))
    assert images.data[0].revised_prompt == model


def test_a_sound_is_transcribed(client, model):
    sound = ("a.wav", bytes(range(256)) * 4096)
    text = client.audio.transcriptions.create(model="two", file=sound).text
    assert text.startswith(f"{model} heard 10")
    text = client.audio.translations.create(model="two", file=sound).text
    assert " heard 10" in text


def test_speech(client, model):
    sound = client.audio.speech.with_raw_response.create(model="two", input="Hi", voice="alloy")
    assert sound.content == b"\xff\xfb\x90\x00\r\n\x00" + model.encode()
    assert sound.headers["content-type"] == "audio/mpeg"
    assert sound.headers["x-pointsman-answered-by"] == f"openai/{model}"
    assert verdicts(sound)[-1] == ("openai", "ok")


def test_moderations(client, model):
    moderation = client.moderations.create(model="two", input="Hi")
    assert moderation.model == model and not moderation.results[0].flagged


def test_tokens_are_counted(client, gateway):
    count = client.responses.input_tokens.count(model="two", input="Hi")
    assert count.input_tokens > 0
    url = gateway.envoy.url
    with anthropic.Anthropic(base_url=url, api_key="client-token", max_retries=0) as claude:
        messages = [{"role": "user", "content": "Hi"}]
        counted = claude.messages.with_raw_response.count_tokens(model="claude", messages=messages)
        assert counted.parse().input_tokens > 0
        assert "x-pointsman-estimated" not in counted.headers
        counted = claude.messages.with_raw_response.count_tokens(model="gemini", messages=messages)
        assert counted.parse().input_tokens > 0
        assert "x-pointsman-estimated" not in counted.headers
        guessed = claude.messages.with_raw_response.count_tokens(model="cohere", messages=messages)
        assert guessed.parse().input_tokens > 0
        assert guessed.headers["x-pointsman-estimated"] == "true"
        gateway.standins["anthropic"].fail({"kind": "status", "status": 529})
        with pytest.raises(anthropic.APIStatusError) as failed:
            claude.messages.count_tokens(model="claude", messages=messages)
        assert failed.value.body["type"] == "error"


def test_a_model_that_completes_by_itself(client):
    completion = client.completions.create(model="itself", prompt=[1, 2])
    assert completion.choices[0].text == " itself" and completion.model == "gpt-5"


def test_who_offers_nothing_of_the_kind_is_named(client):
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.speech.create(model="claude", input="Hi", voice="alloy")
    assert refused.value.code == "no_able_candidate" and "not offered" in str(refused.value)
