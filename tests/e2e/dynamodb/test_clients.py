"""What others wrote for DynamoDB, each as its users run it.

`clients/install.py` installs them; one whose own program is missing is skipped. The walk with the
AWS SDK for Rust is a member of the workspace, and built with the program.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import urllib.request

import laptop as laptops
import pytest
from laptop import EAST, HITHER, KEY, SECRET, TOOLS, environment, eventually, run

sys.path.append(os.path.join(os.path.dirname(__file__), "clients"))
from install import is_installed  # noqa: E402
from suites import aiodynamo, guregu, keyed  # noqa: E402

CLIENTS = TOOLS.parent.parent / "clients"


def home(name):
    if not is_installed(CLIENTS, name):
        pytest.skip(f"{name} is not installed")
    return CLIENTS / name


def test_aiodynamo_finds_what_it_finds_on_aws(one):
    home("aiodynamo")
    found = aiodynamo(CLIENTS, one.endpoint, None)
    # Its authors give this one up before it asks: it wants a text that is set to nothing to be no
    # attribute, which was so before empty texts could be stored.
    given_up = {
        f"tests/integration/test_client.py::test_empty_string[single-{by}]"
        for by in ("aiohttp", "httpx")
    }
    assert {test for test, how in found.items() if how == "XFAIL"} == given_up
    assert {how for test, how in found.items() if test not in given_up} == {"PASSED"}, found
    assert len(found) == 126


def test_guregu_dynamo_finds_what_it_finds_on_aws(one):
    home("go")
    found = guregu(CLIENTS, one.endpoint, one.unique("guregu"))
    assert set(found.values()) == {"PASS"}, found
    assert len(found) == 35


@pytest.fixture(scope="module")
def guarded():
    """One region that verifies signatures."""
    with laptops.guarded() as laptop:
        yield laptop


def walk(name):
    """Returns the command that walks with an SDK, and where it runs."""
    if name == "rust":
        return [HITHER.with_name("sdk-walk")], None
    folder = home(name)
    source = os.path.join(os.path.dirname(__file__), "clients/java/Walk.java")
    command = {
        "javascript": ["node", "walk.mjs"],
        "go": [folder / "walk"],
        "java": ["java", "-cp", "lib/*", source],
    }
    return command[name], folder


@pytest.mark.parametrize("name", ["rust", "javascript", "go", "java"])
def test_an_sdk_walks_with_the_right_key_alone(guarded, name):
    command, folder = walk(name)

    def walked(key, secret, **options):
        env = environment(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
        words = [*command, guarded.endpoint(EAST), f"walk-{name}"]
        return run(*words, cwd=folder, env=env, **options)

    assert walked(KEY, SECRET).stdout.endswith("walked\n")
    refused = {
        "InvalidSignatureException": (KEY, SECRET[::-1]),
        "UnrecognizedClientException": ("AKIDNOBODY0000000001", SECRET),
    }
    for code, keys in refused.items():
        done = walked(*keys, check=False)
        assert done.returncode != 0
        assert code in done.stdout + done.stderr


@contextlib.contextmanager
def dynamodb_admin(endpoint):
    """Runs dynamodb-admin while the block runs; gives what asks it."""
    folder = home("javascript")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["node", "node_modules/dynamodb-admin/dist/dynamodb-admin.js"],
        cwd=folder,
        env=keyed(DYNAMO_ENDPOINT=endpoint, HOST="127.0.0.1", PORT=str(port)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def ask(path, method="GET", body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def listens():
        assert process.poll() is None
        with contextlib.suppress(OSError):
            return bool(ask("/api/tables"))
        return False

    try:
        eventually(listens)
        yield ask
    finally:
        process.terminate()
        process.wait()


def test_dynamodb_admin_shows_and_changes_tables(server):
    name = server.make([("pk", "S")], stem="admin")
    with dynamodb_admin(server.endpoint) as ask:
        assert name in ask("/")
        ask(f"/tables/{name}/add-item", "PUT", {"pk": "hello", "n": 5})
        assert "hello" in ask(f"/tables/{name}/items")
        assert name in ask(f"/tables/{name}")
        assert "hello" in ask(f"/tables/{name}/items/hello")
        assert "KeySchema" in ask(f"/tables/{name}/meta")
        ask(f"/tables/{name}/items/hello", "PUT", {"pk": "hello", "n": 6})
        item = server.client.get_item(TableName=name, Key={"pk": {"S": "hello"}})["Item"]
        assert item["n"] == {"N": "6"}
        ask(f"/tables/{name}", "DELETE")
        assert name not in ask("/api/tables")
