"""What is wrong with the phrases of a rule by themselves: twice, overshadowed, too short, never found."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pipeline.detect.costs import budget
from pipeline.detect.lints.laid import Laid
from pipeline.detect.lints.notice import Level, Notice
from pipeline.detect.lints.spelling import count, spelled
from pipeline.detect.lints.subject import Phrase, Subject, alone, parameters, phrases
from pipeline.detect.lints.talk import Talk
from pipeline.detect.ordinary import Line
from pipeline.detect.pattern import Char, Choice, Gap, Node, Slot, gaps_meet, parse
from pipeline.detect.slots import RUNS
from pipeline.detect.wordings import letters
from pipeline.ruleset import Rule
from pipeline.timeline import Role

FEW, MANY = 2, 24
"""Wordings to suspect that a phrase says nothing new, and to be sure of it."""
LEAST = {"sound": 2, "text": 3, "exact": 3}
"""Characters that a phrase needs: by sound, short phrases must begin and end where words do."""
LEAST_AROUND_GAP = 3
"""Characters that must be heard of a phrase with a gap."""


def duplicates(subject: Subject) -> Iterator[Notice]:
    """The same phrase twice in one rule, or in two rules that conclude the same."""
    for rules in subject.families.values():
        seen: dict[tuple[str, Role | None], Phrase] = {}
        for phrase in phrases(rules):
            first = seen.setdefault((_folded(phrase.text), phrase.rule.role), phrase)
            if first is not phrase and _covers(first.rule, phrase.rule):
                message = f"发现说法 {phrase} 写了第二遍，应为只写在{subject.told(first, phrase)}；删掉一处"
                yield subject.notice(Level.WARNING, subject.at(phrase), message)


def shadowed(subject: Subject) -> Iterator[Notice]:
    """A phrase all of whose wordings another phrase finds, in rules that conclude the same."""
    for rules in subject.families.values():
        shadows: dict[Phrase, Phrase] = {}
        for phrase, other in _suspects(phrases(rules)):
            known = phrase in shadows or shadows.get(other) is phrase or _hears_more(phrase, other)
            if not known and _laid((phrase,), MANY)[1].matches_all(other):
                shadows[phrase] = other
        for phrase, other in shadows.items():
            message = f"发现说法 {phrase}，{subject.told(other, phrase).strip()}的 {other} 总能一起找到，"
            yield subject.notice(Level.WARNING, subject.at(phrase), message + "应为两句留一句")


def _hears_more(phrase: Phrase, other: Phrase) -> bool:
    """Whether the phrase may be found where it was misheard and the other not: it is longer and so may be
    further off, or it spells out what the other leaves to a slot, which takes nothing that was misheard."""
    if parameters(phrase.rule).match != "sound":
        return False
    own, others = parse(phrase.text), parse(other.text)
    longer = budget(letters(own.nodes)) > budget(others.least)
    return longer or bool(_run_slots(others.nodes) - _run_slots(own.nodes))


def _run_slots(nodes: Iterable[Node]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, Choice):
            found |= _run_slots(inner for option in node.options for inner in option)
        elif isinstance(node, Slot) and node.name in RUNS:
            found.add(node.name)
    return found


def meeting_gaps(subject: Subject) -> Iterator[Notice]:
    """A phrase that has a gap with no words since the gap before it."""
    for phrase in phrases(subject.worded):
        if gaps_meet(parse(phrase.text).nodes):
            message = f"发现 {phrase} 里两个间隔之间没有字，永远找不到，应为中间有字，或只留一个间隔"
            yield subject.notice(Level.ERROR, subject.at(phrase), message)


def short(subject: Subject) -> Iterator[Notice]:
    """A phrase so short that it is cut out of other words."""
    for phrase in phrases(subject.worded):
        own = parameters(phrase.rule)
        if own.anchor != "anywhere" or own.needed > 1:
            continue
        nodes = parse(phrase.text).nodes
        least = LEAST_AROUND_GAP if any(map(_has_gap, nodes)) else LEAST[own.match]
        heard = sum(map(_letters, nodes))
        if heard < least:
            message = f"发现说法 {phrase} 听到 {heard} 个字就算，应为至少 {least} 个字，或 `anchor: turn`"
            yield subject.notice(Level.WARNING, subject.at(phrase), message)


def never_found(subject: Subject) -> Iterator[Notice]:
    """A phrase that its own rule never finds, mostly for an exception that always cancels it."""
    for rule in subject.worded:
        for phrase in _doubted(rule):
            wordings = spelled(parse(phrase.text), MANY, gaps=True)
            talk = Talk(tuple(Line(role=rule.role or Role.AGENT, text=text) for text in wordings))
            if not any(talk.found((alone(phrase, exceptions=True),))):
                message = f"发现说法 {phrase}，本规则永远找不到，照着说“{wordings[0]}”也不行，"
                message += "应为不被例外作废的说法；改说法，或改例外"
                yield subject.notice(Level.ERROR, subject.at(phrase), message)


def _doubted(rule: Rule) -> Iterator[Phrase]:
    """The phrases whose plainest wording they do not fit themselves, or which an exception speaks of."""
    listed = tuple(p for p in phrases((rule,)) if count(parse(p.text)))
    laid = Laid(tuple(spelled(parse(p.text), 1)[0] for p in listed))
    cancelled = {line for text in rule.patterns if "{phrase}" not in text for line in laid.lines_with(text)}
    for line, phrase in enumerate(listed):
        if line in cancelled or not any(laid.matches(phrase, line)):
            yield phrase


def _suspects(listed: Iterable[Phrase]) -> Iterator[tuple[Phrase, Phrase]]:
    """Pairs of a phrase and another that may find a few of its wordings."""
    kept = tuple({(p.rule.id, _folded(p.text)): p for p in listed}.values())
    owners, laid = _laid(kept, FEW)
    wanted: dict[Phrase, set[int]] = defaultdict(set)
    for line, phrase in enumerate(owners):
        wanted[phrase].add(line)
    reached = {phrase: laid.reached(phrase) for phrase in kept}
    for phrase, lines in wanted.items():
        for other, found in reached.items():
            if other is not phrase and lines <= found and _covers(other.rule, phrase.rule):
                yield phrase, other


def _laid(listed: Iterable[Phrase], most: int) -> tuple[list[Phrase], Laid]:
    owners = [(p, text) for p in listed for text in spelled(parse(p.text), most, gaps=True)]
    return [phrase for phrase, _ in owners], Laid(tuple(text for _, text in owners))


def _covers(rule: Rule, other: Rule) -> bool:
    """Whether whatever the other rule looks at, this one does."""
    if rule is other:
        return True
    same = (rule.role, rule.window, rule.applies) == (other.role, other.window, other.applies)
    return same and rule.status == other.status and parameters(rule).anchor == parameters(other).anchor


def _folded(text: str) -> str:
    return "".join(text.split()).replace("您", "你")


def _letters(node: Node) -> int:
    """Characters that have to be heard."""
    match node:
        case Char():
            return int(not node.light)
        case Choice(options):
            return min(sum(map(_letters, option)) for option in options)
        case Gap():
            return 0
    return getattr(node, "least", 0)


def _has_gap(node: Node) -> bool:
    if isinstance(node, Choice):
        return any(_has_gap(inner) for option in node.options for inner in option)
    return isinstance(node, Gap)
