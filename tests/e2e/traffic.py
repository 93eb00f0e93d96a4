"""Requests that go on while something changes, from threads that are stopped at the end."""

import threading
import time

import httpx
from gateway import poll
from replies import read_stream

#: No test keeps its traffic up for longer, whatever it waits for.
LONGEST_S = 120


class Traffic:
    """Calls `once` over and over from `senders` threads, as long as it is open.

    `once` gives what was wrong, or nothing. With a `rate`, calls begin by the clock, so many a
    second in all, whatever answers take.
    """

    def __init__(self, once, senders=4, rate=None):
        self.sent, self.failed = 0, []
        self._once = once
        self._pause = senders / rate if rate else 0.0
        self._over = threading.Event()
        self._lock = threading.Lock()
        offsets = [self._pause * i / senders for i in range(senders)]
        self._threads = [threading.Thread(target=self._run, args=[each]) for each in offsets]

    def _run(self, offset):
        due = time.monotonic() + offset
        while not self._over.wait(max(0.0, due - time.monotonic())) and due < self._end:
            due = due + self._pause if self._pause else time.monotonic()
            try:
                wrong = self._once()
            except (httpx.TransportError, AssertionError) as failure:
                wrong = repr(failure)
            with self._lock:
                self.sent += 1
                if wrong:
                    self.failed.append(wrong)

    def __enter__(self):
        self.began = time.monotonic()
        self._end = self.began + LONGEST_S
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for each in self._threads:
            each.join()
        self.seconds = time.monotonic() - self.began

    def goes_on(self, count=50):
        """Waits until some more requests have been served."""
        target = self.sent + count
        poll("traffic", lambda: self.sent >= target, 30)

    def assert_flawless(self):
        """Something was sent, and nothing was wrong."""
        assert self.sent and not self.failed, (self.sent, self.failed[:5])


def chats(gateway, model):
    """Whole replies to one model's requests."""

    def once():
        reply = gateway.chat(model)
        return None if reply.status_code == 200 else f"{reply.status_code}: {reply.text[:300]}"

    return once


def streams(gateway, model, text="marco"):
    """Streams that echo what was said, read to their ends."""

    def once():
        with gateway.open_stream(model, text) as reply:
            stream = read_stream("".join(reply.iter_text()))
        return None if stream.done and text in stream.text else stream.text or "an empty stream"

    return once
