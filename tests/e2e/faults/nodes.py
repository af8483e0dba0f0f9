"""Regions as processes that are started one by one, each under what a fault needs.

It harms nothing itself. `strace` makes system calls fail or kill, counted by thread.
"""

import contextlib
import re
import shutil
import subprocess

import laptop as laptops
from laptop import EAST, HITHER, environment, eventually

# What makes a write, or a file's name, last.
LASTING = ("fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink", "unlinkat")


class Ended(Exception):
    """A region ended instead of serving."""

    def __init__(self, code, said):
        super().__init__(f"it ended with {code}: {said}")
        self.code, self.said = code, said


class Nodes(laptops.Laptop):
    """The regions of a project without `hither up` around them."""

    def __init__(self, regions=(EAST,)):
        self.regions = regions
        super().__init__()
        self.state.mkdir()
        self.key = self.state / "project.key"
        self.processes = {}

    def manifest_text(self):
        lines = super().manifest_text().splitlines()
        absent = tuple(f"{region} =" for region in laptops.REGIONS if region not in self.regions)
        return "\n".join(line for line in lines if not line.startswith(absent)) + "\n"

    def data(self, region=EAST):
        return self.state / region

    def log(self, region=EAST):
        return self.folder / f"{region}.log"

    def serve(self, region=EAST, before=(), **variables):
        """Starts a region and waits until it serves; raises `Ended` where it ends first."""
        command = [HITHER, "serve", "--region", region, "--laptop", "--until-stdin-ends"]
        command += ["--manifest", self.manifest, "--data-dir", self.data(region)]
        command += ["--project-key", self.key]
        if not self.key.exists():
            self.key.write_text("5a" * 32 + "\n")
            self.key.chmod(0o600)
        with self.log(region).open("wb") as log:
            process = self.processes[region] = subprocess.Popen(
                [*before, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment(**variables),
            )

        def serves():
            return process.poll() is not None or self.is_serving(region)

        eventually(serves, every=0.01)
        if process.poll() is not None:
            raise Ended(process.returncode, self.said_by(region))
        return process

    def said_by(self, region=EAST):
        return self.log(region).read_text(errors="replace")

    def wait(self, region=EAST, seconds=30):
        """Waits until a region has ended by itself; returns its exit code."""
        return self.processes[region].wait(timeout=seconds)

    def end(self, region=EAST):
        """Ends a region in order; returns its exit code."""
        process = self.processes[region]
        process.stdin.close()
        try:
            return process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    def kill_now(self, region=EAST):
        self.processes[region].kill()
        self.processes[region].wait()
        self.processes[region].stdin.close()

    def stop(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.stdin.close()
        for process in self.processes.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return 0

    def logs(self):
        return {region: self.said_by(region)[-4000:] for region in self.processes}


@contextlib.contextmanager
def nodes(regions=(EAST,)):
    """Gives regions while the block runs, and removes what they leave."""
    own = Nodes(regions)
    laptops._alive.append(own)
    try:
        yield own
    finally:
        laptops._alive.remove(own)
        own.stop()
        own.remove()


def strace(trace, *injections, calls=LASTING):
    """Returns the words that start a program under `strace`; None where it cannot run."""
    words = ["strace", "-f", "-y", "-o", str(trace)]
    words += ["-e", "trace=" + ",".join(calls)]
    for injection in injections:
        words += ["-e", f"inject={injection}"]
    return [*words, "--"]


def why_no_strace():
    """Returns why no program can be traced here; None where one can."""
    if shutil.which("strace") is None:
        return "there is no strace"
    probe = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "true"],
        capture_output=True, text=True, check=False,
    )
    return None if probe.returncode == 0 else f"strace cannot trace: {probe.stderr.strip()}"


def last_call(trace):
    """Returns the last call in a trace, and its file, for people."""
    calls = map(described, reversed(trace.read_text(errors="replace").splitlines()))
    return next(filter(None, calls), "nothing")


def described(line):
    """Returns the call of a line of a trace, and the end of its file's path."""
    match = re.match(r"\d+\s+(\w+)\((.*)", line)
    if match is None:
        return None
    paths = re.findall(r"[<\"](/[^>\"]+)[>\"]", match[2])
    return f"{match[1]} {'/'.join(paths[-1].split('/')[-3:]) if paths else ''}".strip()


def most_calls(trace):
    """Returns, for each call in a trace, how often the thread made it that made it most."""
    counts = {}
    for line in trace.read_text(errors="replace").splitlines():
        match = re.match(r"(\d+)\s+(\w+)\(", line)
        if match:
            counts[match.groups()] = counts.get(match.groups(), 0) + 1
    most = {}
    for (_, call), count in counts.items():
        most[call] = max(most.get(call, 0), count)
    return most


def copy(source, target):
    """Copies a data directory; holes stay holes."""
    shutil.rmtree(target, ignore_errors=True)
    laptops.run("cp", "-a", "--sparse=always", "--reflink=auto", source, target)
