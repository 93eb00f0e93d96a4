"""What the cache of answers costs a request: misses and hits against the same model without one.

python tests/bench/cache.py GATEWAY_URL MODEL_WITHOUT MODEL_WITH [REQUESTS]

The gateway's two models are alike but for `cache: {ttl: 10m, shared: true}`. Prints quantiles in
microseconds, one connection, one request at a time; requests take turns, so that whatever else the
machine does falls on all alike.
"""

import http.client
import json
import sys
import time
import urllib.parse

#: Bytes of a prompt: a question, and one with some documents.
SIZES = (200, 8_000)


def body(model, size, number):
    """A request that no other is equal to."""
    text = f"{number} " + "Why is the sky blue? " * (size // 21)
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}]})


def once(connection, path, sent):
    start = time.perf_counter_ns()
    connection.request("POST", path, sent, {"content-type": "application/json"})
    reply = connection.getresponse()
    reply.read()
    took = time.perf_counter_ns() - start
    assert reply.status == 200, reply.status
    return took / 1000, (reply.getheader("cache-status") or "none").split(";")[1:2]


def main(url, without, with_cache, requests=2000):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    path = "/v1/chat/completions"
    for size in SIZES:
        took = {"without": [], "miss": [], "hit": []}
        for number in range(int(requests)):
            unique = f"{size}-{time.time_ns()}-{number}"
            for kind, model in (("without", without), ("miss", with_cache), ("hit", with_cache)):
                us, outcome = once(connection, path, body(model, size, unique))
                expected = {"without": [], "miss": [" fwd=miss"], "hit": [" hit"]}[kind]
                assert outcome == expected, (kind, outcome)
                took[kind].append(us)
        for kind, values in took.items():
            values.sort()
            shares = " ".join(f"p{q}={values[len(values) * q // 100]:7.0f}" for q in (10, 50, 90))
            print(f"{size:6} bytes  {kind:8} {shares} us")


if __name__ == "__main__":
    main(*sys.argv[1:])
