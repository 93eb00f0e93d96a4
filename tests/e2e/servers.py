"""Servers that a gateway asks besides providers: what they say is set by tests, what they are asked
is remembered."""

import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """On a free port; `answer` gives status and body of what has just been asked."""

    def __init__(self):
        self.asked = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self._serve(self.rfile.read(int(self.headers["content-length"])))

            def do_GET(self):
                self._serve(b"")

            def _serve(self, body):
                server.note(self.path, dict(self.headers), body)
                status, answer = server.answer_now()
                try:
                    self.send_response(status)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Hook(Server):
    """An endpoint that classifies or scores, or a model that does."""

    def __init__(self, usual=None):
        super().__init__()
        self.usual = usual or {"class": "code"}
        self.reset()

    def reset(self):
        self.asked, self.delay_s, self.status = [], 0.0, 200
        self.answer = self.usual

    def note(self, _path, headers, body):
        self.asked.append((headers, json.loads(body)))

    def answer_now(self):
        time.sleep(self.delay_s)
        whole = isinstance(self.answer, bytes)
        return self.status, self.answer if whole else json.dumps(self.answer).encode()


def completion(text):
    """What an OpenAI-compatible model answers."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }


class TokenServer(Server):
    """An authorization server, and Google's metadata server."""

    def __init__(self):
        super().__init__()
        self.token, self.expires_in, self.is_up = "token-0", 3600, True

    def note(self, path, headers, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        self.asked.append((path, form or headers))

    def answer_now(self):
        token = {"access_token": self.token, "token_type": "Bearer", "expires_in": self.expires_in}
        return (200 if self.is_up else 503), json.dumps(token).encode()
