"""Commands out of a Markdown text, and one shell session that runs them as they are printed.

A fenced block marked `sh` is run. `# => TEXT` at the end of a line, or on lines of its own after
it, claims that what was printed since the claim before holds TEXT.
"""

import os
import re
import signal
import subprocess

CLAIM = re.compile(r"(?:^|\s)# => (.*)$")
FENCE = re.compile(r"^```(\w*)$")


class Step:
    """Lines of a script that are run together, and what they claim to print."""

    def __init__(self, line):
        self.line, self.lines, self.claims = line, [], []

    def __repr__(self):
        return f"line {self.line}: {self.lines[-1] if self.lines else ''}"


def steps(text, heading):
    """Returns the steps of the section that starts with `heading`, in order."""
    lines = text.splitlines()
    if heading not in lines:
        raise AssertionError(f"there is no {heading!r}")
    start = lines.index(heading)
    level = heading.split(" ")[0]
    found, fence = [], None
    for number, line in enumerate(lines[start + 1 :], start + 2):
        is_fence = FENCE.match(line)
        if fence is None and line.startswith(f"{level} "):
            break
        if is_fence:
            fence = is_fence[1] if fence is None else None
            found.append(Step(number + 1))
        elif fence in ("sh", "console"):
            claim = CLAIM.search(line)
            # After a claim, only further claims belong to the same step.
            if found[-1].claims and not (claim and line.startswith("# => ")):
                found.append(Step(number))
            if claim:
                found[-1].claims.append(claim[1])
            if not line.startswith("# => "):
                found[-1].lines.append(line)
    return [step for step in found if step.lines]


def script(all_steps):
    """Returns a script that says after each step which it was and whether a command failed."""
    lines = ["trap 'walk_failed=$BASH_COMMAND' ERR"]
    for at, step in enumerate(all_steps):
        lines += step.lines
        lines.append(f"printf '\\036%s %s\\036' {at} \"$walk_failed\"; walk_failed=")
    return "\n".join(lines) + "\n"


def run(all_steps, folder, env, seconds):
    """Runs the steps in one session; asserts that none failed and that every claim held."""
    session = subprocess.Popen(
        ["bash", "-c", script(all_steps)],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = session.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(session.pid, signal.SIGTERM)
        printed, _ = session.communicate(timeout=60)
        done = printed.count("\036") // 2
        raise AssertionError(f"{all_steps[done]} took too long\n{printed[-3000:]}") from None
    pieces = printed.split("\036")
    outputs, marks = pieces[0::2], pieces[1::2]
    for step, output, mark in zip(all_steps, outputs, marks):
        _, _, failed = mark.partition(" ")
        assert not failed, f"{step}: failed: {failed}\n{output[-3000:]}"
        for claim in step.claims:
            assert claim in output, f"{step}: it did not print {claim!r}, but\n{output[-3000:]}"
    assert len(marks) == len(all_steps), f"{all_steps[len(marks)]}: the session ended\n{printed}"
    assert session.returncode == 0, printed[-3000:]
