"""`hither demo`, from nothing but the binary: what a newcomer runs first."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import threading

import pytest
from laptop import HITHER, REGIONS, die_with_parent, environment, eventually, run


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    env = environment(TMPDIR=str(folder))
    done = run(HITHER, "demo", "--once", "--json", cwd=folder, env=env, timeout=200, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    left = [path.name for path in folder.iterdir()]
    assert left == [], "it left files behind"
    return json.loads(done.stdout)


def test_all_of_it_held(report):
    assert report["ok"] is True
    assert report["held"] and all(report["held"].values()), report["held"]


def test_no_client_request_failed_through_the_kill(report):
    failover = report["failover"]
    assert failover["failed_client_requests"] == 0, failover["failures"]
    assert failover["client_requests"] > 100
    assert failover["acknowledged_writes_checked"] > 0
    assert failover["acknowledged_writes_missing"] == []
    for phase in ("before", "while_it_was_dead", "after"):
        assert failover["time_to_first_byte"][phase]["requests"] > 0, phase


def test_every_figure_is_there(report):
    def leaves(value, path):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from leaves(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for at, inner in enumerate(value):
                yield from leaves(inner, f"{path}[{at}]")
        else:
            yield path, value

    missing = [path for path, value in leaves(report, "report") if value is None or value == ""]
    assert missing == []
    failover = report["failover"]
    for figure in (
        "dns_stopped_naming_it_ms",
        "serving_again_after_start_ms",
        "caught_up_after_start_ms",
        "dns_names_it_again_after_start_ms",
    ):
        assert failover[figure] > 0, figure


def test_the_story_has_all_its_parts(report):
    assert {step["step"] for step in report["steps"]} == {1, 2, 3, 4, 5}
    assert {step["region"] for step in report["steps"]} == set(REGIONS)
    assert all(step["command"].startswith("aws ") for step in report["steps"])
    cities = {city["city"] for city in report["time_to_first_byte"]}
    assert cities == {"new-york", "london", "tokyo", "singapore", "sao-paulo"}
    for city in report["time_to_first_byte"]:
        assert city["one_region_ms"] > 0 and city["three_regions_ms"] > 0
    replication = report["replication"]
    assert replication["samples"] > 0
    # Light is not outrun: what another region shows has travelled there.
    assert replication["visible_after_acknowledgement_max_ms"] > replication["link_one_way_ms"] > 0
    conflict = report["conflict"]
    assert conflict["winner"] != conflict["loser"] and conflict["loser_kept_in"]
    for table in report["digests"]:
        assert table["equal"] and len(set(table["by_region"].values())) == 1, table
    assert "carts" in {table["table"] for table in report["digests"]}


class Narrated:
    """`hither demo` as a person starts it: sentences on a pipe, bars on a terminal."""

    def __init__(self, folder, *words):
        self.said, self.shown = [], []
        terminal, end = pty.openpty()
        self.process = subprocess.Popen(
            [HITHER, "demo", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=end, cwd=folder,
            env=environment(TMPDIR=str(folder), TERM="xterm"), start_new_session=True,
            preexec_fn=die_with_parent,
        )
        os.close(end)
        readers = [(self.process.stdout.fileno(), self.said), (terminal, self.shown)]
        self.threads = [threading.Thread(target=drain, args=reader) for reader in readers]
        for thread in self.threads:
            thread.start()

    def text(self):
        return b"".join(self.said).decode(errors="replace")

    def bars(self):
        return b"".join(self.shown).decode(errors="replace")

    def wait_for(self, words):
        def said():
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended: {self.text()}\n{self.bars()}")
            return words in self.text() + self.bars()

        eventually(said, within=180)

    def interrupt(self):
        """Ends it as Ctrl-C does; returns its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=60)
        finally:
            self.process.kill()
            for thread in self.threads:
                thread.join(timeout=10)
        return self.process.returncode


def drain(file, into):
    # A terminal whose other end is closed is an error on Linux.
    with contextlib.suppress(OSError):
        while piece := os.read(file, 65536):
            into.append(piece)


def test_every_hinted_line_works_until_ctrl_c(tmp_path):
    demo = Narrated(tmp_path)
    try:
        demo.wait_for("/_hither/status")
        story, hint = demo.text().split("The regions stay up until Ctrl-C.")
        assert "All of it held." in story, story
        assert "\x1b[" not in demo.text(), "standard output is no terminal"
        # Bars with a length, and how far they have come.
        for counted in ("starting", "writing in Tokyo", "auditing"):
            assert re.search(rf"\[[█░]*\] +\d+/\d+ +{counted}", demo.bars()), counted
        lines = [line[2:] for line in hint.splitlines() if line.startswith("  ")]
        start = next(at for at, line in enumerate(lines) if line.startswith("dig "))
        script = "\n".join(lines[start:])
        starts = ("dig ", "curl ", "aws ", "export ")
        commands = [line for line in lines[start:] if line.startswith(starts)]
        assert len(commands) == 9, commands
        done = run("bash", "-e", "-x", "-c", script, env=environment(), timeout=120)
        said = done.stdout
        assert "ANSWER SECTION" in said and "127.0.0.13" in said, said
        assert '"served_by"' in said and said.count('"Items"') == len(REGIONS), said
        assert '"HealthChecks"' in said and '"region":"us-east-1"' in said.replace(" ", ""), said
        assert any(tmp_path.iterdir()), "its data is in TMPDIR while it runs"
    finally:
        code = demo.interrupt()
    assert code == 0, demo.text() + demo.bars()
    assert list(tmp_path.iterdir()) == [], "it left files behind"


def test_json_is_all_that_a_machine_reads_while_it_stays_up(tmp_path):
    demo = Narrated(tmp_path, "--json")
    try:
        demo.wait_for("Ctrl-C")
        eventually(lambda: demo.text().endswith("}\n"))
        assert json.loads(demo.text())["ok"] is True
    finally:
        code = demo.interrupt()
    assert code == 0, demo.bars()
    assert "error" not in json.loads(demo.text()), "nothing follows the object"


def test_a_story_that_breaks_off_is_reported_as_far_as_it_came(tmp_path):
    demo = Narrated(tmp_path, "--once", "--json")
    try:
        eventually(lambda: list(tmp_path.glob("*/us-east-1/node.log")), within=60)
        # Without its app there is nobody to answer.
        for app in tmp_path.glob("*/cart/bootstrap"):
            app.write_text("#!/bin/sh\nexit 1\n")
        demo.process.wait(timeout=200)
    finally:
        demo.interrupt()
    assert demo.process.returncode == 1, demo.bars()
    report = json.loads(demo.text())
    assert report["ok"] is False and report["error"], report
    assert {step["step"] for step in report["steps"]} == {1, 2, 3, 4, 5}, report
    assert not all(report["held"].values())


def test_a_demo_that_is_refused_at_the_start_leaves_nothing(tmp_path):
    with socket.socket() as taken:
        # Connections of an earlier demo may still wait for their end.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Where somebody has it already, it is taken, too.
        with contextlib.suppress(OSError):
            taken.bind(("127.0.0.11", 4566))
            taken.listen()
        env = environment(TMPDIR=str(tmp_path))
        done = run(HITHER, "demo", "--once", cwd=tmp_path, env=env, check=False)
    assert done.returncode == 1 and "4566" in done.stderr, done
    assert "logs" not in done.stderr, "there are none"
    assert list(tmp_path.iterdir()) == [], "it left files behind"
