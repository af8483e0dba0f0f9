"""Judges of histories: whether what clients were answered can have happened in one order.

They call nothing. A history is a list of `Op`; each check returns the first anomaly it finds, a
text that begins with the anomaly's name, or nothing.

Sources: Wing and Gong, "Testing and verifying concurrent objects" (1993); Lowe, "Testing for
linearizability" (2017); Adya, "Weak consistency" (1999), for the edges between transactions.
"""

import dataclasses
import math
import typing

# An operation of which nobody knows whether it was done.
UNKNOWN = object()


@dataclasses.dataclass(eq=False)
class Op:
    """What a client asked, when, and what it was answered.

    `returned` is infinite where there was no answer: it may take effect at any time, or never.
    """

    kind: str
    key: typing.Any
    asked: typing.Any
    invoked: float
    returned: float = math.inf
    result: typing.Any = UNKNOWN

    def __str__(self):
        if self.result is UNKNOWN:
            return f"{self.kind} {self.key} {self.asked}: no answer"
        return f"{self.kind} {self.key} {self.asked}: {self.result}"


def step(op, state):
    """Returns the state after `op`, or UNKNOWN where its answer cannot be from `state`."""
    known = op.result is not UNKNOWN
    if op.kind == "get":
        return state if op.result == state else UNKNOWN
    if op.kind in ("put", "delete"):
        # Both are answered with what was there before.
        return UNKNOWN if known and op.result != state else op.asked
    if op.kind == "add":
        after = (state or 0) + op.asked
        return UNKNOWN if known and op.result != after else after
    if op.kind == "swap":
        before, after = op.asked
        holds = state == before
        # Refused with what is there instead.
        if known and op.result != (("done",) if holds else ("refused", state)):
            return UNKNOWN
        return after if holds else state
    raise ValueError(op.kind)


def linearizable(ops):
    """Checks one item's operations: each takes effect at one moment while it was open.

    Every configuration that is possible is kept: the item's state, and which open operations
    have taken effect. One that returns must have.
    """
    events = [(op.invoked, 0, op) for op in ops]
    events += [(op.returned, 1, op) for op in ops if op.returned < math.inf]
    events.sort(key=lambda event: event[:2])
    unanswered = [op for op in ops if op.returned == math.inf and op.kind == "get"]
    openly, possible = [], {(None, frozenset())}
    for _, is_return, op in events:
        if not is_return:
            if op not in unanswered:
                openly.append(op)
            continue
        possible = expanded(possible, openly, op)
        openly.remove(op)
        if not possible:
            beside = "; ".join(str(other) for other in openly)
            return f"not linearizable: {op} fits no order (beside it: {beside or 'nothing'})"
    return None


def expanded(possible, openly, wanted):
    """Returns the configurations in which `wanted` has taken effect, without it."""
    reached, seen, todo = set(), set(possible), list(possible)
    while todo:
        state, done = todo.pop()
        if wanted in done:
            reached.add((state, done - {wanted}))
            continue
        for op in openly:
            if op in done:
                continue
            after = step(op, state)
            if after is not UNKNOWN:
                next_one = (after, done | {op})
                if next_one not in seen:
                    seen.add(next_one)
                    todo.append(next_one)
    return reached


def serialisable(ops, refused=frozenset()):
    """Checks transactions over lists: `append` adds its value to its keys, `read` reads its keys.

    Shape: each value is appended once; the last reads cover all keys. `refused` holds the values
    whose transactions were refused.
    """
    writers = {op.asked: op for op in ops if op.kind == "append"}
    reads = [op for op in ops if op.kind == "read" and op.result is not UNKNOWN]
    orders = {}
    for read in reads:
        for key, values in read.result.items():
            longest = orders.setdefault(key, values)
            shorter, longer = sorted((longest, values), key=len)
            if longer[: len(shorter)] != shorter:
                return f"divergent reads: {key} was {shorter} and {longer}"
            orders[key] = longer
    for key, order in orders.items():
        if len(set(order)) < len(order):
            return f"done twice: {key} is {order}"
        for value in order:
            if value in refused:
                return f"aborted read: {key} has {value}, which was refused"
            if value not in writers or key not in writers[value].key:
                return f"made up: {key} has {value}, which nobody appended to it"
    happened = list(reads)
    for op in writers.values():
        within = [key for key in op.key if op.asked in orders.get(key, ())]
        if within:
            happened.append(op)
        if not within and op.result is not UNKNOWN:
            return f"lost: {op}"
        if within and len(within) < len(op.key):
            return f"torn: {op} is in {within} alone"
    return cycle(happened, edges(orders, writers, reads))


def edges(orders, writers, reads):
    """Returns what must come before what: by order of writes, and by what was read."""
    before = []
    for order in orders.values():
        for one, two in zip(order, order[1:], strict=False):
            before.append((writers[one], writers[two]))
    for read in reads:
        for key, values in read.result.items():
            if values:
                before.append((writers[values[-1]], read))
            order = orders[key]
            if len(values) < len(order):
                before.append((read, writers[order[len(values)]]))
    return before


def cycle(ops, before):
    """Looks for transactions that must all come before the next of them, the last before the first.

    What returned before another one was invoked comes before it too. Moments stand for that: each
    answer is a moment after its operation and the former moment, before what is invoked later.
    """
    after = {op: [] for op in ops}
    for one, two in before:
        if one is not two:
            after[one].append(two)
    events = [(op.returned, 0, op) for op in ops if op.returned < math.inf]
    events += [(op.invoked, 1, op) for op in ops]
    events.sort(key=lambda event: event[:2])
    last = None
    for at, is_invocation, op in events:
        if is_invocation:
            if last is not None:
                after[last].append(op)
            continue
        moment = ("moment", at, id(op))
        after[moment] = []
        if last is not None:
            after[last].append(moment)
        after[op].append(moment)
        last = moment
    found = find_cycle(after)
    if found is None:
        return None
    return "cycle: " + " before ".join(str(op) for op in found if isinstance(op, Op))


def find_cycle(after):
    """Returns the nodes of a cycle of a graph, or nothing."""
    fresh, walked, done = 0, 1, 2
    colour = dict.fromkeys(after, fresh)
    for start in after:
        if colour[start] != fresh:
            continue
        path, walks = [start], [iter(after[start])]
        colour[start] = walked
        while path:
            for node in walks[-1]:
                if colour[node] == walked:
                    return path[path.index(node) :]
                if colour[node] == fresh:
                    colour[node] = walked
                    path.append(node)
                    walks.append(iter(after[node]))
                    break
            else:
                colour[path.pop()] = done
                walks.pop()
    return None


def balanced(ops, total):
    """Checks transfers between accounts: each read of all of them finds the same total."""
    for op in ops:
        if op.kind == "balances" and op.result is not UNKNOWN:
            found = sum(op.result.values())
            if found != total:
                return f"broken total: {found} of {total} in {op.result}"
            if min(op.result.values()) < 0:
                return f"overdrawn: {op.result}"
    return None
