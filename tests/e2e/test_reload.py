"""A new configuration under steady load: no request fails, and open streams go on."""

import copy
import threading
import time

import httpx
import yaml
from gateway import poll
from replies import read_stream
from test_config_load import discovery, served  # noqa: F401

RATE = 200
SENDERS = 8
PUSHES = 2


class SteadyTraffic:
    """`RATE` requests a second by the clock, whatever the answers take; collects what fails."""

    def __init__(self, url):
        self.sent, self.failed = 0, []
        self._url = url
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=[i]) for i in range(SENDERS)]

    def _run(self, offset):
        body = {"model": "three", "messages": [{"role": "user", "content": "hello"}]}
        pause = SENDERS / RATE
        due = time.monotonic() + pause * offset / SENDERS
        with httpx.Client(base_url=self._url, timeout=10) as client:
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                due += pause
                try:
                    reply = client.post("/v1/chat/completions", json=body)
                    wrong = None if reply.status_code == 200 else reply.text
                except httpx.TransportError as failure:
                    wrong = repr(failure)
                with self._lock:
                    self.sent += 1
                    if wrong:
                        self.failed.append(wrong)

    def __enter__(self):
        self.began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.seconds = time.monotonic() - self.began


class Streams:
    """Slow streams one after another, so that some are open whenever something changes."""

    def __init__(self, gateway):
        self.whole, self.broken = 0, []
        self._gateway = gateway
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]

    def _run(self):
        while not self._stop.is_set():
            text = ""
            try:
                with self._gateway.open_stream("anthropic-only", "marco") as reply:
                    for piece in reply.iter_text():
                        text += piece
            except httpx.TransportError as failure:
                self.broken.append(repr(failure))
                continue
            stream = read_stream(text)
            if stream.done and "marco" in stream.text:
                self.whole += 1
            else:
                self.broken.append(text)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_a_configuration_is_swapped_under_load_and_nothing_fails(served, discovery):  # noqa: F811
    served.standins["anthropic"].fail({"kind": "slow_stream", "ms": 150})
    with SteadyTraffic(served.envoy.url) as traffic, Streams(served) as streams:
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
        f"{streams.whole} streams, {len(streams.broken)} broken"
    )
    assert not traffic.failed, traffic.failed[:5]
    assert streams.whole and not streams.broken, streams.broken[:5]
