"""What is wrong with a rule as a whole: its cases, its days, its labels, its cost."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from rapidfuzz import fuzz

from pipeline.detect.cases import missing_cases
from pipeline.detect.document import suggestion
from pipeline.detect.heard import Heard
from pipeline.detect.lints.notice import Level, Notice, notice_of
from pipeline.detect.lints.spelling import count
from pipeline.detect.lints.subject import Phrase, Subject, parameters, phrases
from pipeline.detect.lints.talk import Talk
from pipeline.detect.lints.timing import CALL_CHARACTERS, slowness
from pipeline.detect.match import Fit, Matcher
from pipeline.detect.ordinary import Line
from pipeline.detect.pattern import parse
from pipeline.detect.script import ScriptError, call_of
from pipeline.ruleset import Case, Rule, Status

MOST_WORDINGS = 5_000
"""Of a phrase in which other sounds may stand for its own: each wording is tried where one begins."""
ALIKE = 85
"""How alike two labels must be for one of them to be a slip."""


def unreadable_cases(subject: Subject) -> Iterator[Notice]:
    """A case that is not a call as `pipeline.detect.script` reads it."""
    for rule in subject.ruleset.rules:
        for case in rule.cases:
            try:
                call_of(case.text)
            except ScriptError as error:
                yield subject.notice(Level.ERROR, case.source, str(error))


def no_case(subject: Subject) -> Iterator[Notice]:
    """A rule without a case that it must find, or without one that it must not."""
    for fault in missing_cases(subject.ruleset.rules):
        yield notice_of(fault)


def opposite_cases(subject: Subject) -> Iterator[Notice]:
    """The same call once as a hit and once as a miss of rules that conclude the same."""
    seen: dict[tuple[object, ...], tuple[Rule, Case]] = {}
    for rule in subject.ruleset.rules:
        for case in rule.cases:
            key = (rule.label, rule.category, rule.detector, rule.role, case.text)
            other, before = seen.setdefault(key, (rule, case))
            if before.hit != case.hit and (other is rule or other.parameters == rule.parameters):
                found, expected = ("hit", "miss") if case.hit else ("miss", "hit")
                message = f"发现 {found} 的用例在 {before.source} 又是 {expected}，应为二者之一"
                yield subject.notice(Level.ERROR, case.source, message)


def expired(subject: Subject) -> Iterator[Notice]:
    """A rule whose last day is over."""
    for rule in subject.ruleset.rules:
        last = rule.effective.last
        if last and last < subject.today:
            message = f"发现最后一天 {last} 已经过去，应为以后的日子，或不写 `until`"
            yield subject.notice(Level.WARNING, subject.place(rule, ("effective", "until")), message)


def slipped_labels(subject: Subject) -> Iterator[Notice]:
    """A label or category that only this rule has, and that is nearly one that others have."""
    for key in ("label", "category"):
        named: dict[str, list[Rule]] = defaultdict(list)
        for rule in subject.ruleset.rules:
            named[getattr(rule, key) or ""].append(rule)
        counts = Counter({name: len(rules) for name, rules in named.items() if name})
        for name in (name for name, times in counts.items() if times == 1):
            near = [other for other in counts if counts[other] > 1 and fuzz.ratio(name, other) >= ALIKE]
            if near:
                rule = named[name][0]
                message = f"发现 {key} `{name}` 别的规则都没有，应为常用的那个"
                message += suggestion(max(near, key=lambda other: fuzz.ratio(name, other)))
                yield subject.notice(Level.WARNING, subject.place(rule, (key,)), message)


def slow(subject: Subject) -> Iterator[Notice]:
    """A phrase with too many wordings, or one that takes long over ordinary talk."""
    heard = Heard.of(Talk(_a_call_of(subject.ordinary)).call)
    for at in range(1, len(heard)):
        heard.is_word_edge(at)
    for phrase in phrases(rule for rule in subject.worded if rule.status is Status.ACTIVE):
        own = parameters(phrase.rule)
        wordings = count(parse(phrase.text)) if own.match == "sound" and own.max_edits != 0 else 0
        if wordings > MOST_WORDINGS:
            found = f"展开有 {wordings} 种，应为最多 {MOST_WORDINGS} 种，或 `max_edits: 0`"
        elif told := _slowness(phrase, heard):
            found = f"{told}选项，或写 `max_edits: 0`"
        else:
            continue
        yield subject.notice(Level.WARNING, subject.at(phrase), f"发现说法 {phrase} {found}")


def _a_call_of(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Lines spread over the list, about as many characters as a call has."""
    every = max(1, sum(len(line.text) for line in lines) // CALL_CHARACTERS)
    return lines[::every]


def _slowness(phrase: Phrase, heard: Heard) -> str:
    own = parameters(phrase.rule)
    matcher = Matcher(heard=heard, fit=Fit(own.match), max_edits=own.max_edits)
    pattern = parse(phrase.text)
    return slowness(lambda: matcher.search(pattern, heard.words), len(heard))
