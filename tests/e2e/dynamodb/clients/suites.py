"""Integration suites of others, run against a server: every test of theirs by name and outcome.

It judges nothing: `test_clients.py` wants all of them passed, `beside.py` lays two servers side by
side. What is installed, and how, `install.py` says.
"""

import re

from install import AIODYNAMO
from laptop import environment, run


def keyed(**more):
    """The environment of somebody with keys."""
    return environment(
        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1", **more
    )


def aiodynamo(clients, endpoint, _):
    """Runs aiodynamo's integration tests; returns the outcome of each."""
    folder = clients / "aiodynamo"
    done = run(
        folder / "venv/bin/python", "-m", "pytest", "-v", "-p", "no:cacheprovider",
        "--tb=no", "tests/integration",
        cwd=folder / f"aiodynamo-{AIODYNAMO}",
        env=keyed(DYNAMODB_URL=endpoint),
        timeout=200,
        check=False,
    )
    told = re.findall(r"^(tests/\S+::.+?) ([A-Z]+) +\[ *\d+%\]$", done.stdout, re.MULTILINE)
    return dict(told)


def guregu(clients, endpoint, stem):
    """Runs the tests of guregu/dynamo that ask a server; returns the outcome of each.

    The others are told apart by running all of them once with no server: those ask for none.
    """
    alone = _guregu(clients)
    asked = _guregu(
        clients,
        DYNAMO_TEST_ENDPOINT=endpoint,
        DYNAMO_TEST_REGION="us-east-1",
        DYNAMO_TEST_CREATE_TABLE="yes",
        DYNAMO_TEST_TABLE=f"{stem}-widgets",
        DYNAMO_TEST_TABLE2=f"{stem}-sprockets",
    )
    return {name: how for name, how in asked.items() if alone.get(name) != "PASS"}


def _guregu(clients, **more):
    folder = clients / "go"
    done = run(
        folder / "dynamo.test", "-test.v",
        cwd=folder / "source",
        env=keyed(**more),
        timeout=200,
        check=False,
    )
    return {
        name: how
        for how, name in re.findall(r"^ *--- (PASS|FAIL|SKIP): (\S+)", done.stdout, re.MULTILINE)
    }


SUITES = {"aiodynamo": ("aiodynamo", aiodynamo), "guregu/dynamo": ("go", guregu)}
