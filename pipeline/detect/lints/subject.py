"""The rule set under the lint, and what its checks ask of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.detect.detectors.similar import SimilarParameters
from pipeline.detect.document import Document, Location, read
from pipeline.detect.lints.notice import Level, Notice
from pipeline.detect.ordinary import Line, ordinary
from pipeline.ruleset import Rule, RuleSet, Window
from pipeline.scope import ANY_DAY, Applies, Source
from pipeline.template import Template
from pipeline.timeline import Role
from pipeline.wanted import spaced

SHOWN = 40
"""Characters of a phrase that a notice shows."""
FORBIDDEN = frozenset({"forbidden", "privacy", "security", "taboo"})
"""Labels of what agents must not say. What the other rules listen for in an agent is recommended."""

DISTRESS = frozenset({"customer_chased", "customer_upset"})
"""Labels of what customers say in distress, which counts against an agent who does not answer it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Phrase:
    """One phrase of a rule: which rule, the number in its list, the pattern's text. `key` names the list:
    `phrases`, `regex` for an expression, `examples` or `unlike` for a sentence to learn from."""

    rule: Rule
    index: int
    text: str
    key: str = "phrases"

    def __str__(self) -> str:
        text = self.text if len(self.text) <= SHOWN else f"{self.text[:SHOWN]}…"
        return f"“{text}”" if self.key in ("examples", "unlike") else f"`{text}`"


@dataclass(eq=False, kw_only=True)
class Subject:
    """A rule set and today's date."""

    ruleset: RuleSet
    today: date
    _documents: dict[str, Document] = field(default_factory=dict)

    def document(self, written: Rule | Template) -> Document:
        """The file that a rule or scorecard is written in."""
        path = written.source.path
        if path not in self._documents:
            self._documents[path] = read(path, self.ruleset.files[path])
        return self._documents[path]

    def place(self, written: Rule | Template, location: Location = ("id",), *, key: bool = False) -> Source:
        """Where a part of a rule or scorecard is written."""
        return self.document(written).source(location, key=key)

    def at(self, phrase: Phrase) -> Source:
        """Where a phrase is written."""
        return self.place(phrase.rule, (phrase.key, phrase.index))

    def told(self, phrase: Phrase, seen_from: Phrase) -> str:
        """`第 8 行`, or ` blunt.yml:8:5 处` in another file; to stand behind a Chinese character."""
        source = self.at(phrase)
        same = source.path == self.at(seen_from).path
        return f"第 {source.line} 行" if same else spaced(f"{source} 处")

    def notice(self, level: Level, source: Source, message: str) -> Notice:
        """A notice; the table of checks adds the name of the check."""
        return Notice(check="", level=level, source=source, message=message)

    @cached_property
    def worded(self) -> tuple[Rule, ...]:
        """The rules that are lists of phrases."""
        return tuple(r for r in self.ruleset.rules if isinstance(r.parameters, PhraseParameters))

    @cached_property
    def learning(self) -> tuple[Rule, ...]:
        """The rules that learn from examples."""
        return tuple(r for r in self.ruleset.rules if isinstance(r.parameters, SimilarParameters))

    @cached_property
    def forbidding(self) -> tuple[Rule, ...]:
        """Those that listen for what an agent must not say."""
        return tuple(rule for rule in self.worded if rule.label in FORBIDDEN)

    @cached_property
    def recommending(self) -> tuple[Rule, ...]:
        """Those that listen for what an agent should say."""
        return tuple(r for r in self.worded if r.label not in FORBIDDEN and r.role is Role.AGENT)

    @cached_property
    def families(self) -> Mapping[tuple[str, str | None], tuple[Rule, ...]]:
        """The lists of which one phrase is enough by what they conclude: label and category."""
        found: dict[tuple[str, str | None], tuple[Rule, ...]] = defaultdict(tuple)
        for rule in self.worded:
            if parameters(rule).needed == 1:
                found[rule.label, rule.category] += (rule,)
        return found

    @cached_property
    def ordinary(self) -> tuple[Line, ...]:
        return ordinary()


def parameters(rule: Rule) -> PhraseParameters:
    """The parameters of a list of phrases."""
    if not isinstance(rule.parameters, PhraseParameters):
        raise TypeError(f"{rule.id} is no list of phrases")
    return rule.parameters


def phrases(rules: Iterable[Rule]) -> tuple[Phrase, ...]:
    """Every phrase of the rules, in the order they are written."""
    listed = ((rule, i, text) for rule in rules for i, text in enumerate(parameters(rule).phrases))
    return tuple(Phrase(rule=rule, index=index, text=text) for rule, index, text in listed)


def expressions(rule: Rule) -> tuple[Phrase, ...]:
    """The regular expressions of a rule."""
    listed = enumerate(parameters(rule).regex)
    return tuple(Phrase(rule=rule, index=index, text=text, key="regex") for index, text in listed)


def examples(rule: Rule, *, unlike: bool = True) -> tuple[Phrase, ...]:
    """The sentences that a rule learns from, its counter-examples behind them."""
    own = rule.parameters
    if not isinstance(own, SimilarParameters):
        raise TypeError(f"{rule.id} learns from no examples")
    lists = {"examples": own.examples} | ({"unlike": own.unlike} if unlike else {})
    return tuple(
        Phrase(rule=rule, index=index, text=text, key=key)
        for key, texts in lists.items()
        for index, text in enumerate(texts)
    )


def bare(rule: Rule) -> Rule:
    """The rule for any words of its role, wherever and whenever they are said."""
    return replace(rule, window=Window(), applies=Applies(), effective=ANY_DAY)


def alone(phrase: Phrase, *, exceptions: bool = False) -> Rule:
    """A rule of this phrase only, with the exceptions of its rule or without any."""
    update = {"phrases": (), "regex": (), "none_of": (), "require": "any"} | {phrase.key: (phrase.text,)}
    return replace(
        bare(phrase.rule),
        id=f"{phrase.rule.id}#{phrase.key}{phrase.index}",
        parameters=parameters(phrase.rule).model_copy(update=update),
        exceptions=phrase.rule.exceptions if exceptions else (),
    )
