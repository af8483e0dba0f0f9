"""What others wrote for DynamoDB, each as its users run it.

`clients/install.py` installs them; what is not installed is skipped. The walk with the AWS SDK for
Rust is a member of the workspace, and built with the program.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request

import pytest
from laptop import HITHER, TOOLS, environment, eventually, run

sys.path.append(os.path.join(os.path.dirname(__file__), "clients"))
from install import AIODYNAMO, is_installed  # noqa: E402

CLIENTS = TOOLS.parent.parent / "clients"


def home(name):
    if not is_installed(CLIENTS, name):
        pytest.skip(f"{name} is not installed")
    return CLIENTS / name


def keyed(**more):
    """The environment of somebody with keys."""
    return environment(
        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1", **more
    )


def test_aiodynamo_finds_what_it_finds_on_aws(one):
    folder = home("aiodynamo")
    done = run(
        folder / "venv/bin/python", "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider",
        "--tb=no", "tests/integration",
        cwd=folder / f"aiodynamo-{AIODYNAMO}",
        env=keyed(DYNAMODB_URL=one.endpoint),
        timeout=200,
    )
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 120, done.stdout + done.stderr


def test_the_sdk_for_javascript(server):
    folder = home("javascript")
    done = run("node", "walk.mjs", server.endpoint, server.unique("walk"), cwd=folder)
    assert done.stdout.endswith("walked\n")


def test_the_sdk_for_rust(server):
    done = run(HITHER.with_name("sdk-walk"), server.endpoint, server.unique("walk"))
    assert done.stdout.endswith("walked\n")


def test_the_sdk_for_java(server):
    folder = home("java")
    source = os.path.join(os.path.dirname(__file__), "clients/java/Walk.java")
    done = run("java", "-cp", "lib/*", source, server.endpoint, server.unique("walk"), cwd=folder)
    assert done.stdout.endswith("walked\n")


def test_the_sdk_for_go(server):
    done = run(home("go") / "walk", server.endpoint, server.unique("walk"))
    assert done.stdout.endswith("walked\n")


def test_guregu_dynamo_finds_what_it_finds_on_aws(server):
    folder = home("go")
    done = run(
        folder / "dynamo.test", "-test.v",
        cwd=folder / "source",
        env=keyed(
            DYNAMO_TEST_ENDPOINT=server.endpoint,
            DYNAMO_TEST_REGION="us-east-1",
            DYNAMO_TEST_CREATE_TABLE="yes",
            DYNAMO_TEST_TABLE=server.unique("widgets"),
            DYNAMO_TEST_TABLE2=server.unique("sprockets"),
        ),
        timeout=200,
    )
    assert done.stdout.count("--- PASS: ") >= 180, done.stdout + done.stderr


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
