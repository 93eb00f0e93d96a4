"""A new configuration under steady load: no request fails, and open streams go on."""

import copy

import yaml
from gateway import poll
from test_config_load import discovery, served  # noqa: F401
from traffic import Traffic, chats, streams

RATE = 200
SENDERS = 8
PUSHES = 2


def test_a_configuration_is_swapped_under_load_and_nothing_fails(served, discovery):  # noqa: F811
    served.standins["anthropic"].fail({"kind": "slow_stream", "ms": 150})
    traffic = Traffic(chats(served, "three"), SENDERS, RATE)
    with traffic, Traffic(streams(served, "anthropic-only")) as streamed:
        for number in range(PUSHES):
            name = f"added-{number}"
            document = copy.deepcopy(served.document)
            document["models"][name] = document["models"]["openai-only"]
            bootstrap = yaml.safe_load(served.render(document))
            discovery.push(bootstrap, ["cds"])
            discovery.push(bootstrap, ["lds"])
            poll(f"{name} is served", lambda name=name: served.chat(name).status_code == 200, 60)
    print(
        f"{traffic.sent} requests in {traffic.seconds:.1f} s, {len(traffic.failed)} failed; "
        f"{streamed.sent} streams, {len(streamed.failed)} broken"
    )
    traffic.assert_flawless()
    streamed.assert_flawless()
