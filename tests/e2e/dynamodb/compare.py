"""Runs the cases against Hither and against DynamoDB Local, and writes where they differ.

    python tests/e2e/dynamodb/compare.py JARS [--write]

JARS is a folder with DynamoDB Local and what it needs; `cargo xtask bench` installs one in
`target/tools/dynamodb-local/lib`. Without `--write` it checks that the page in the reference is
what it would write. It needs Java; no ordinary test run does.
"""

import collections
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

from differences import DIFFERENCES

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PAGE = ROOT / "docs/reference/dynamodb-differences.md"


def main():
    jars, write = pathlib.Path(sys.argv[1]).resolve(), "--write" in sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        ours = answers(pathlib.Path(folder) / "ours.json", {})
        with local(jars, folder) as endpoint:
            theirs = answers(
                pathlib.Path(folder) / "theirs.json", {"DYNAMODB_ENDPOINT": endpoint}
            )
    failed = [case for case, (outcome, _) in ours["outcomes"].items() if outcome == "failed"]
    if failed:
        sys.exit(f"Hither fails {failed}")
    text = page(version(jars), ours, theirs)
    if write:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        sys.exit(f"{PAGE} is not what the cases say: run this with --write")


def answers(file, more):
    """Runs all cases; returns the outcome of each and what its calls were answered."""
    quiet = ["-q", "-p", "no:cacheprovider", "--tb=no", f"--ignore={HERE / 'test_clients.py'}"]
    command = [sys.executable, "-m", "pytest", *quiet, HERE]
    env = os.environ | {"DYNAMODB_ANSWERS": str(file)} | more
    subprocess.run(command, env=env, cwd=ROOT, check=False)
    return json.loads(file.read_text())


def version(jars):
    jar = next(jars.glob("DynamoDBLocal-*.jar"))
    return jar.stem.removeprefix("DynamoDBLocal-")


@contextlib.contextmanager
def local(jars, folder):
    """Runs DynamoDB Local in memory while the block runs; gives its endpoint."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    main_class = "software.amazon.dynamodb.services.local.main.ServerRunner"
    options = ["-port", str(port), "-disableTelemetry", "-sharedDb", "-inMemory"]
    command = ["java", f"-Djava.library.path={jars}", "-cp", f"{jars}/*", main_class, *options]
    with (pathlib.Path(folder) / "local.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None or deadline < time.monotonic():
                    sys.exit("DynamoDB Local does not start")
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def page(release, ours, theirs):
    """Writes the page: differences in what is done, then in the words of refusals."""
    outcomes = theirs["outcomes"]
    differing = sorted(case for case, (outcome, _) in outcomes.items() if outcome == "failed")
    explained = {one: [] for one in DIFFERENCES}
    unexplained = []
    for case in differing:
        for one in DIFFERENCES:
            if any(re.search(pattern, case) for pattern in one.cases):
                explained[one].append(case)
                break
        else:
            unexplained.append(case)
    if unexplained:
        sys.exit("nothing explains " + "\n".join(unexplained))
    idle = [one.about for one, cases in explained.items() if not cases]
    if idle:
        sys.exit(f"these explain nothing: {idle}")
    alike = len(outcomes) - len(differing)
    lines = [
        "# Hither beside DynamoDB Local",
        "",
        "<!-- Written by tests/e2e/dynamodb/compare.py. -->",
        "",
        f"{len(outcomes)} cases of `tests/e2e/dynamodb` ran against both; Hither passes them all,",
        f"DynamoDB Local {release} answers {alike} in the same way. A case says what AWS's",
        "documentation and service model say; the words of a refusal count as alike.",
        "",
        "| what | Hither | DynamoDB Local | right | why | cases |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.about} | {one.hither} | {one.local} | {one.right} | {one.why} | {len(cases)} |"
        for one, cases in explained.items()
    ]
    lines += [
        "",
        "## Refusals in other words",
        "",
        "The code is the same. Hither has the words that the service uses in us-east-1, as far as",
        "they are known. These pairs come up twice or more; names and values are left out.",
        "",
        "| Hither | DynamoDB Local |",
        "|---|---|",
    ]
    lines += [f"| {one} | {other} |" for one, other in sorted(words(ours, theirs))]
    return "\n".join(lines) + "\n"


def words(ours, theirs):
    """Returns the pairs of messages by which both refuse calls with the same code."""
    pairs = collections.Counter()
    for case, (outcome, _) in theirs["outcomes"].items():
        if outcome != "passed":
            continue
        calls = zip(ours["answers"].get(case, []), theirs["answers"].get(case, []), strict=False)
        for (operation, one), (_, other) in calls:
            if operation != "wire" and one != other:
                pair = plain(one), plain(other)
                if pair[0] != pair[1]:
                    pairs[pair] += 1
    return [pair for pair, count in pairs.items() if count > 1]


def plain(said):
    """Returns a message without its code, names and values, fit for a table."""
    text = said.split(": ", 1)[-1]
    text = re.sub(r"[\w.-]*-?[kK]?-?RUN-\w+(-\w+)*", "…", text)
    text = re.sub(r"Value '.*?' at '[^']*'", "Value '…' at '…'", text, flags=re.DOTALL)
    text = re.sub(r"Value (null|\S*) at '[^']*'", r"Value \1 at '…'", text)
    text = re.sub(r"numeric value: .*", "numeric value: …", text)
    text = re.sub(r"(.)\1{20,}", r"\1…", text)
    text = re.sub(r"\s+", " ", text).replace("|", "\\|").strip()
    return text if len(text) <= 160 else f"{text[:160]}…"


if __name__ == "__main__":
    main()
