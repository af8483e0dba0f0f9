"""What the rounds of a fault found: a line each, and a sum at the end."""


class Report:
    """Adds up rounds, and says each where a person waits."""

    def __init__(self, fault, say=print):
        self.fault, self.say = fault, say
        self.rounds = self.acknowledged = self.unknown = 0
        self.notes, self.problems = {}, []

    def round(self, what, ledger, problems, note=None):
        """Notes a round: what was done, what became of the writes, what is wrong."""
        self.rounds += 1
        acknowledged, unknown = ledger.count("acknowledged"), ledger.count("unknown")
        self.acknowledged += acknowledged
        self.unknown += unknown
        if note:
            self.notes[note] = self.notes.get(note, 0) + 1
        self.problems += [f"{what}: {problem}" for problem in problems]
        verdict = "; ".join(problems) if problems else note or "all there"
        self.say(
            f"{self.fault} {self.rounds}: {what}: {acknowledged} acknowledged, "
            f"{unknown} unknown: {verdict}"
        )

    def sum(self):
        """Says the sum; returns whether nothing was wrong."""
        notes = "".join(f", {count} × {note}" for note, count in sorted(self.notes.items()))
        self.say(
            f"{self.fault}: {self.rounds} rounds, {self.acknowledged} writes acknowledged, "
            f"{self.unknown} unknown, {len(self.problems)} problems{notes}"
        )
        for problem in self.problems:
            self.say(f"  {problem}")
        return not self.problems
