"""A rate limit service as users run one: real limits, counted in a real Redis."""

import socket
import subprocess

from gateway import PATIENCE_S, free_ports, poll, run


class Redis:
    """A Redis on loopback that keeps nothing."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        [self.port] = free_ports(1)
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
        with (folder / "redis.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log)
        poll("Redis ready", lambda: answers(self.port))

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def ask(self, *words):
        """What `redis-cli` says, as lines."""
        return run(["redis-cli", "-p", str(self.port), "--raw", *words]).splitlines()

    def close(self):
        stop(self._process)


class RateLimits:
    """The service with the limits of a document."""

    def __init__(self, binaries, folder, redis, port, counts_refused):
        self.redis, self.port, self._binaries = redis, port, binaries
        self._also = ["--counts-refused"] if counts_refused else []
        self._limits = folder / "limits.yaml"
        self._process = None

    def start(self, pointsman_yaml):
        render = [self._binaries.pointsman, "render", "limits", pointsman_yaml]
        self._limits.write_text(run([*render, "--format", "limitador"]))
        self.resume()

    def resume(self):
        command = [str(self._binaries.ratelimit), str(self._limits)]
        command += ["--listen", f"127.0.0.1:{self.port}", "--redis", self.redis.url]
        self._process = subprocess.Popen([*command, *self._also])
        poll("rate limit service ready", lambda: answers(self.port))

    def used(self, budget, account=""):
        """What is counted of a budget, in its units; of a window that is not long over."""
        names = self.redis.ask("KEYS", f"pointsman:{budget}:{account}:*")
        return sum(int(value) for name in names for value in self.redis.ask("GET", name))

    def close(self):
        stop(self._process)


def answers(port):
    """Whether somebody listens."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def stop(process):
    process.terminate()
    process.wait(PATIENCE_S)
