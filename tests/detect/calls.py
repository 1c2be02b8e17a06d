"""Small calls and rules for the tests of this folder."""

from dataclasses import replace

from pipeline.detect import engine
from pipeline.detect.detectors import DETECTORS
from pipeline.detect.heard import Heard
from pipeline.detect.load import parse_ruleset
from pipeline.detect.match import Fit, Match, Matcher
from pipeline.detect.pattern import parse
from pipeline.detect.scene import Scene, Thresholds
from pipeline.detect.script import call_of
from pipeline.findings import Finding
from pipeline.ruleset import Rule, RuleSet
from pipeline.timeline import Call, Role, RoleAssignment, Span

HEAD = "title: 标题\nlabel: forbidden\nwhy: 因为\n"


def rule_text(rule_id: str, body: str, detector: str = "phrase", role: str = "agent") -> str:
    """A rule file; `body` holds the detector's own lines."""
    return f"id: {rule_id}\n{HEAD}detector: {detector}\nrole: {role}\n{body}\n"


def ruleset_of(*texts: str) -> RuleSet:
    return parse_ruleset({f"a/{number}.yml": text for number, text in enumerate(texts)})


_RULE: Rule = ruleset_of(rule_text("a.a", "longer_than_seconds: 1", "silence", "any")).rules[0]


def phrase_rule(*phrases: str, **extra: str) -> RuleSet:
    listed = "".join(f'  - "{phrase}"\n' for phrase in phrases)
    keys = "".join(f"{key}: {value}\n" for key, value in extra.items())
    return ruleset_of(rule_text("a.rule", f"phrases:\n{listed}{keys}"))


def run(ruleset: RuleSet, text: str, **thresholds: float) -> tuple[Finding, ...]:
    return engine.run(call_of(text), ruleset, Thresholds(**thresholds))


def with_roles(call: Call, confidence: float) -> Call:
    roles = RoleAssignment(confidence=confidence, reason="test")
    return replace(call, transcript=replace(call.transcript, roles=roles))


def on_mono(call: Call) -> Call:
    transcript = replace(call.transcript, overlaps_audible=False, overlaps=())
    return replace(call, transcript=transcript)


def with_unclear(call: Call, *spans: Span) -> Call:
    return replace(call, transcript=replace(call.transcript, unclear=spans))


def found(detector: str, call: Call, role: Role | None = None, **parameters: object) -> tuple[Finding, ...]:
    """What one detector with these parameters says about a call."""
    rule = replace(
        _RULE,
        detector=detector,
        role=role,
        parameters=DETECTORS[detector].parameters.model_validate(parameters),
    )
    return DETECTORS[detector].detect(rule, Scene(call=call, thresholds=Thresholds()))


def matches(pattern: str, text: str, *, probability: float = 0.7, fit: Fit = Fit.SOUND) -> tuple[Match, ...]:
    """Matches within the budget in one turn of the agent."""
    heard = Heard.of(call_of(f"坐席 1.0 {text}", probability=probability))
    found = Matcher(heard=heard, fit=fit).search(parse(pattern), heard.words)
    return tuple(match for match in found if match.fits)


def quotes(pattern: str, text: str, **options: object) -> list[str]:
    """The words of those matches, as heard."""
    heard = Heard.of(call_of(f"坐席 1.0 {text}"))
    found = matches(pattern, text, **options)  # type: ignore[arg-type]
    return [heard.quote(match.start, match.end) for match in found]
