"""masto.js, which Elk and others are made with, against our server: REST, pages and WebSocket streams."""

from __future__ import annotations

import base64
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.peers.api_server import serving
from tests.peers.node import find_node, require_node

FOLDER = Path(__file__).parent / "masto"
PATIENCE = 90.0  # seconds; only a mistake waits so long
PARTS = ["theServer", "people", "posts", "timelines", "notifications", "streams", "theOwner"]


def run(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run something with Node.js."""
    program = find_node()
    assert program is not None
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=PATIENCE, check=False, **options)


@pytest.mark.node
def test_what_elk_does(tmp_path: Path) -> None:
    require_node(FOLDER)
    image = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(image, "PNG")
    with serving(tmp_path) as server:
        told = {
            "origin": server.origin,
            "alice": server.token("alice"),
            "bob": server.token("bob"),
            "picture": base64.b64encode(image.getvalue()).decode(),
        }
        done = run("client.mjs", cwd=FOLDER, input=json.dumps(told) + "\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == PARTS
