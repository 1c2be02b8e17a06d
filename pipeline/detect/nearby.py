"""Windows that another rule's findings open: where they lie, and a rule's answer inside them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pipeline.detect.scene import Scene
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Near, Of, Rule
from pipeline.timeline import Role, Span, merge
from pipeline.units import Ms, to_ms

Detect = Callable[[Rule, Scene], tuple[Finding, ...]]
CANDIDATES = 3
"""At most so many near misses are told with an absence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Zone:
    """A part of the call that is looked at, and how sure it is that it is the right one."""

    span: Span
    trust: float


def zone(scene: Scene, role: Role | None, kind: str, near: Near, anchor: Span) -> Span:
    """The time `before`, `after` or `within` so many seconds or turns of the role from an anchor."""
    whole = scene.call.span
    early, late = _before(scene, role, near, anchor), _after(scene, role, near, anchor)
    match kind:
        case "before":
            part = Span(early, anchor.start)
        case "after":
            part = Span(anchor.end, late)
        case _ if near.seconds is None and near.turns is None:
            part = anchor
        case _:
            part = Span(early, late)
    return part & whole


def _before(scene: Scene, role: Role | None, near: Near, anchor: Span) -> Ms:
    if near.seconds is not None:
        return max(0, anchor.start - to_ms(near.seconds))
    return scene.turns_before(role, near.turns, anchor)


def _after(scene: Scene, role: Role | None, near: Near, anchor: Span) -> Ms:
    if near.seconds is not None:
        return anchor.end + to_ms(near.seconds)
    return scene.turns_after(role, near.turns, anchor)


def answer(rule: Rule, scene: Scene, detect: Detect) -> tuple[Finding, ...]:
    """What a detector says about the windows that other rules' findings open.

    One group of windows must hold a finding, or, with `every`, each group of them.
    """
    unsure = [near.rule for _, near in rule.window.near if _is_unsure(scene, near.rule)]
    if unsure:
        why = f"{rule.title}：不知道“{scene.title(unsure[0])}”在哪里，无法判断。"
        return (scene.finding(rule, Outcome.CANNOT_TELL, (), why, 0.0),)
    groups = _groups(rule, scene)
    if not any(groups):
        named = "”“".join(scene.title(near.rule) for _, near in rule.window.near)
        why = f"{rule.title}：没有“{named}”，也就没有要找的那一段。"
        return (scene.finding(rule, Outcome.ABSENT, (), why, scene.role_factor),)
    found = _joined(rule, scene, [_in_group(rule, scene, detect, group) for group in groups])
    where = "；".join(_told(scene, kind, near) for kind, near in rule.window.near)
    return tuple(replace(f, explanation=f"{f.explanation.rstrip('。')}（只看{where}）。") for f in found)


def _told(scene: Scene, kind: str, near: Near) -> str:
    """A window for people: `第一处“让客户等待”之后 20 秒内`."""
    which = {Of.FIRST: "第一处", Of.ANY: "", Of.EVERY: "每一处"}[near.of]
    side = {"before": "之前", "after": "之后", "within": "前后"}[kind]
    if near.seconds is not None:
        return f"{which}“{scene.title(near.rule)}”{side} {near.seconds:g} 秒内"
    if near.turns is not None:
        return f"{which}“{scene.title(near.rule)}”{side} {near.turns} 轮内"
    return f"{which}“{scene.title(near.rule)}”{'之中' if kind == 'within' else side}"


def _is_unsure(scene: Scene, rule_id: str) -> bool:
    return any(f.outcome is Outcome.CANNOT_TELL for f in scene.found.get(rule_id, ()))


def _groups(rule: Rule, scene: Scene) -> list[list[_Zone]]:
    groups = [[_Zone(span=scene.call.span, trust=1.0)]]
    for kind, near in rule.window.near:
        zones = [
            _Zone(span=zone(scene, rule.role, kind, near, found.span), trust=found.confidence)
            for found in anchors(scene, near)
        ]
        if near.of is Of.EVERY:
            groups = [_met(group, [one]) for group in groups for one in zones]
        else:
            groups = [_met(group, zones) for group in groups]
    return groups


def anchors(scene: Scene, near: Near) -> list[Finding]:
    """The findings that a window lies around, by time."""
    present = [f for f in scene.found.get(near.rule, ()) if f.outcome is Outcome.PRESENT]
    present.sort(key=lambda f: (f.span, f.id))
    return present[:1] if near.of is Of.FIRST else present


def _met(group: Iterable[_Zone], zones: Iterable[_Zone]) -> list[_Zone]:
    """Where the windows of two conditions meet."""
    listed = list(zones)
    pairs = ((one.span & other.span, min(one.trust, other.trust)) for one in group for other in listed)
    return [_Zone(span=span, trust=trust) for span, trust in pairs if span.duration]


def _in_group(rule: Rule, scene: Scene, detect: Detect, group: list[_Zone]) -> list[Finding]:
    """The findings inside the windows; without one, what the detector says instead."""
    said: list[Finding] = []
    for span in merge(one.span for one in group):
        trust = max(one.trust for one in group if one.span.overlaps(span))
        said += [_trusted(found, trust) for found in detect(rule, scene.narrowed(span))]
    present = [found for found in said if found.outcome is Outcome.PRESENT]
    return present or said


def _trusted(found: Finding, trust: float) -> Finding:
    return replace(found, confidence=round(min(found.confidence, trust), 4))


def _joined(rule: Rule, scene: Scene, groups: list[list[Finding]]) -> tuple[Finding, ...]:
    lacking = [g for g in groups if not any(f.outcome is Outcome.PRESENT for f in g)]
    if not lacking:
        return tuple({found.id: found for group in groups for found in group}.values())
    definite = [g for g in lacking if all(f.outcome is Outcome.ABSENT for f in g)]
    outcome = Outcome.ABSENT if definite else Outcome.CANNOT_TELL
    said = [found for group in (definite or lacking) for found in group]
    if len(said) == 1 and len(groups) == 1:
        return (said[0],)
    evidence: list[Evidence] = [piece for found in said for piece in found.evidence][:CANDIDATES]
    told = "；".join(dict.fromkeys(_reason(rule, found) for found in said)) or "要找的那一段是空的"
    share = f"{len(groups)} 处要有，{len(lacking)} 处缺：" if len(groups) > 1 else ""
    confidence = min((found.confidence for found in said), default=scene.role_factor)
    return (scene.finding(rule, outcome, evidence, f"{rule.title}：{share}{told}。", confidence),)


def _reason(rule: Rule, found: Finding) -> str:
    return found.explanation.removeprefix(f"{rule.title}：").rstrip("。")
