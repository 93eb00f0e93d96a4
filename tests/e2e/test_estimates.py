"""Estimates of a tokenizer that nobody here knows: what replies report makes them right."""

import json
import random
import statistics
from importlib.util import find_spec
from pathlib import Path

import pytest
import sentencepiece
from gateway import ROOT, Gateway, poll, provider

#: What a model counts besides the text of a message.
FRAME = 9
LEARNED, JUDGED = 200, 60
FILES = {"en": "docs/*.md", "code": "src/**/*.rs"}
KINDS = ["de", "ja", *FILES]
OUTPUT = 7


def count():
    """The vocabulary of 32,000 pieces that Mistral had before the one that is measured."""
    data = Path(find_spec("mistral_common").origin).parent / "data"
    return sentencepiece.SentencePieceProcessor(str(data / "tokenizer.model.v1")).encode


def texts(kind):
    """Texts of one kind, that no weights were made from."""
    if pattern := FILES.get(kind):
        return [path.read_text() for path in sorted(ROOT.glob(pattern))]
    held_out = json.loads((ROOT / "tests/tokens/held_out.json").read_text())
    return [text["text"] for text in held_out if text["kind"] == kind]


def pieces(kind):
    """Pieces of them, of different lengths."""
    all_texts, draw = texts(kind), random.Random(kind)
    for _ in range(LEARNED + JUDGED):
        text, size = draw.choice(all_texts), draw.randrange(500, 2000)
        start = draw.randrange(max(1, len(text) - size))
        yield text[start : start + size]


@pytest.fixture(scope="module")
def estimating(binaries, shared_standins, tmp_path_factory):
    """A model for each kind of text: what one counts says nothing of another."""
    document = {
        "providers": {"openai": provider(shared_standins["openai"])},
        "models": {k: {"candidates": [{"provider": "openai", "model": f"new-{k}"}]} for k in KINDS},
        "budgets": [{"tokens": 1_000_000_000, "per": "day"}],
        "explain": {"header": "x-debug"},
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("estimates"), document, shared_standins)
    yield gateway
    gateway.close()


def errors(gateway, kind):
    """How far each estimate is off, as a share, while replies report what was counted."""
    tokens, openai = count(), gateway.standins["openai"]
    openai.reset()
    mark, counted = gateway.envoy.mark(), {}
    for text in pieces(kind):
        prompt = len(tokens(text)) + FRAME
        message = {"role": "assistant", "content": "Hi"}
        usage = {"prompt_tokens": prompt, "completion_tokens": OUTPUT}
        reply = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": usage | {"total_tokens": prompt + OUTPUT},
        }
        openai.fail({"kind": "status", "status": 200, "body": reply}, times=1)
        body = {"max_completion_tokens": OUTPUT, "headers": {"x-debug": "1"}}
        response = gateway.chat(kind, text, **body)
        assert response.json()["usage"]["prompt_tokens"] == prompt, response.text
        counted[response.headers["x-request-id"]] = prompt

    def all_logged():
        lines = gateway.envoy.access_log(mark)
        return len(lines) == len(counted) and {line["request_id"]: line for line in lines}

    lines = poll("the log", all_logged)
    for name, prompt in counted.items():
        [budget] = json.loads(lines[name]["pointsman.explanation"])["budgets"]
        yield abs(budget["needs"] - OUTPUT - prompt) / prompt


@pytest.mark.parametrize("kind", KINDS)
def test_after_200_replies_estimates_are_right_whatever_the_tokenizer(estimating, kind):
    off = list(errors(estimating, kind))
    before, after = statistics.median(off[:5]), statistics.median(off[LEARNED:])
    print(f"{kind}: median error {before:.1%} at first, {after:.1%} after {LEARNED} replies")
    assert after < 0.05, (before, after)
