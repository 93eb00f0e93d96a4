"""The snippets of docs/clients.md, run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from gateway import ROOT

DOCUMENT = (ROOT / "docs/clients.md").read_text()
SNIPPETS = re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```(\w+)\n(.*?)^```", DOCUMENT, re.M | re.S)

GREETING = "Hello from openai (gpt-5). You said: hi"

#: What each prints.
PRINTS = {
    "LangChain": "Hello from openai (gpt-5). The tool said: dry in text",
    "instructor": "text 1",
}


def test_every_client_of_the_table_has_a_snippet():
    table = re.findall(r"^\| \[", DOCUMENT, re.M)
    assert len(SNIPPETS) == len(table) > 0
    assert PRINTS.keys() <= {title for title, _, _ in SNIPPETS}


@pytest.mark.parametrize("title, language, code", SNIPPETS, ids=[s[0] for s in SNIPPETS])
def test_a_snippet(gateway, tmp_path, title, language, code):
    assert code.count("http://127.0.0.1:10000") == 1 and code.count('"smart"') == 1
    code = code.replace("http://127.0.0.1:10000", gateway.envoy.url).replace('"smart"', '"three"')
    if language == "python":
        command, path = sys.executable, tmp_path / "snippet.py"
    else:
        command, path = "node", tmp_path / "snippet.mjs"
        packages = Path(os.environ["CLIENTS_PACKAGES"]) / "node_modules"
        (tmp_path / "node_modules").symlink_to(packages)
    path.write_text(code)
    done = subprocess.run([command, str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == PRINTS.get(title, GREETING)
