"""A tool loop that goes on at another provider is what that vendor's SDK could have sent."""

import json
import pathlib

import check_openai_chat
import pytest
from test_corpus import violations_of

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures" / "tool_loop"


def bodies():
    paths = sorted(FIXTURES.glob("*/to_*.json"))
    return [pytest.param(path, id=f"{path.parent.name}_{path.stem}") for path in paths]


@pytest.mark.parametrize("path", bodies())
def test_the_next_vendor_accepts_the_body(path):
    kind, body = path.stem.removeprefix("to_"), json.loads(path.read_text())
    assert violations_of(kind, body) == []
    called, answered = ids(body)
    assert len(called) == len(set(called)) == 2 and sorted(called) == sorted(answered)


def ids(body) -> tuple[list[str], list[str]]:
    """Ids of calls and of results, whatever the schema calls them."""
    called, answered = [], []
    for turn in body.get("messages", body.get("contents", [])):
        called += [call["id"] for call in turn.get("tool_calls") or []]
        answered += [turn[name] for name in ("tool_call_id",) if name in turn]
        parts = turn.get("parts") or turn.get("content")
        for part in parts if isinstance(parts, list) else []:
            match part:
                case {"type": "tool_use", "id": one} | {"toolUse": {"toolUseId": one}}:
                    called.append(one)
                case {"type": "tool_result", "tool_use_id": one} | {"toolResult": {"toolUseId": one}}:
                    answered.append(one)
                case {"functionCall": call}:
                    called.append(call.get("id", call["name"]))
                case {"functionResponse": result}:
                    answered.append(result.get("id", result["name"]))
    return called, answered


def test_a_body_whose_calls_are_not_answered_is_refused():
    body = json.loads((FIXTURES / "anthropic" / "to_openai.json").read_text())
    assert check_openai_chat.validate(body) == []
    body["messages"].pop()
    assert check_openai_chat.validate(body) != []


def test_every_pair_has_a_body():
    kinds = {path.parent.name for path in FIXTURES.glob("*/reply.json")}
    assert len(kinds) == 7
    for kind in kinds:
        assert {path.stem for path in (FIXTURES / kind).glob("to_*")} == {f"to_{k}" for k in kinds}
