"""The README's walk by hand, run exactly as it is printed."""

import pytest
import walk
from laptop import ROOT, environment

HEADING = "## The five steps by hand"


def readme():
    return walk.steps((ROOT / "README.md").read_text(), HEADING)


def test_the_walk_runs_as_printed(tmp_path):
    walk.run(readme(), tmp_path, environment(), seconds=200)


def test_the_walk_does_what_the_five_steps_are():
    steps = readme()
    text = "\n".join(line for step in steps for line in step.lines)
    for command in (
        "hither up", "aws lambda create-function", "aws dynamodb create-table", "--replica-updates",
        "aws apigatewayv2 create-api ", "aws acm import-certificate", "create-domain-name",
        "aws route53 create-health-check", "aws route53 change-resource-record-sets", "dig ",
        "curl ",
    ):
        assert command in text, f"the walk lacks {command}"
    assert sum(len(step.claims) for step in steps) >= 10, "the walk shows too little of its output"


# The walker itself must notice what goes wrong.

TEXT = """\
## Walk

```sh
x=1
echo one; echo two   # => two
echo $((x + 1))
# => 2
```

Not run:

```toml
[x]
```

## Other

```sh
exit 1
```
"""


def walked(text, folder):
    walk.run(walk.steps(text, "## Walk"), folder, environment(), seconds=20)


def test_a_walk_that_holds_passes(tmp_path):
    walked(TEXT, tmp_path)


@pytest.mark.parametrize(
    ("held", "broken", "told"),
    [
        ("# => 2\n", "# => 3\n", "did not print '3'"),
        ("x=1\n", "false\n", "failed: false"),
        ("x=1\n", "ls nowhere | cat; nonsense\n", "failed: nonsense"),
        ("x=1\n", "exit 0\n", "the session ended"),
        ("## Walk", "## Stroll", "there is no"),
    ],
)
def test_a_walk_that_does_not_hold_fails(tmp_path, held, broken, told):
    with pytest.raises(AssertionError, match=told):
        walked(TEXT.replace(held, broken, 1), tmp_path)
