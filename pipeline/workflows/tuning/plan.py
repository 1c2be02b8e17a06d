"""How each rule is looked for over the archive: as quickly as it can be without missing anything."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pipeline.detect import engine
from pipeline.detect.archive.parts import can_be_sieved
from pipeline.detect.detectors.similar import SimilarParameters
from pipeline.ruleset import Rule, RuleSet
from pipeline.workflows.tuning.clues import Clues, clues_of


@dataclass(slots=True, kw_only=True)
class Plan:
    """`direct` are sieved and answer from what the sieve leaves; `weighed` answer from the sentences that may
    mean what their examples do, and from what the rules of `beside` found; the others must see the whole
    call: `anywhere` every one, the rest where a rule of `words` or of `meant` (ids) shows something.
    `owners`: which rules such a clue belongs to."""

    direct: list[Rule] = field(default_factory=list)
    weighed: list[Rule] = field(default_factory=list)
    beside: dict[str, Rule] = field(default_factory=dict)
    words: list[Rule] = field(default_factory=list)
    meant: list[str] = field(default_factory=list)
    anywhere: list[Rule] = field(default_factory=list)
    whole: list[Rule] = field(default_factory=list)
    owners: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, ruleset: RuleSet, rules: Iterable[Rule]) -> "Plan":
        """For these rules of a rule set that was taught."""
        plan = cls()
        for rule in rules:
            if can_be_sieved(rule):
                plan.direct.append(rule)
            elif _can_be_weighed(rule, ruleset):
                plan._weigh(rule, ruleset)
            else:
                plan._read(rule, ruleset)
        return plan

    def _weigh(self, rule: Rule, ruleset: RuleSet) -> None:
        self.weighed.append(rule)
        for need in engine.needs(rule):
            beside = ruleset.rule(need)
            if beside:
                self.beside[need] = beside

    def _read(self, rule: Rule, ruleset: RuleSet) -> None:
        self.whole.append(rule)
        clues = clues_of(rule, ruleset)
        if clues is None:
            self.anywhere.append(rule)
        else:
            self._add(rule, clues)

    def _add(self, rule: Rule, clues: Clues) -> None:
        """Look for a rule by its clues."""
        for number, clue in enumerate(clues.words):
            name = f"{rule.id}#{number}"
            self.words.append(replace(clue, id=name))
            self.owners[name] = {rule.id}
        for clue in clues.meant:
            if clue.id not in self.meant:
                self.meant.append(clue.id)
            self.owners.setdefault(clue.id, set()).add(rule.id)


def _can_be_weighed(rule: Rule, ruleset: RuleSet) -> bool:
    """Whether the rule answers from the sentences that may mean it, and from what is found beside it."""
    meaning = ruleset.meaning
    if not isinstance(rule.parameters, SimilarParameters) or rule.window.near or rule.cancelling:
        return False
    needed = [ruleset.rule(need) for need in engine.needs(rule)]
    known = all(need is None or can_be_sieved(need) for need in needed)
    return meaning is not None and rule.id in meaning.heads and known
