"""speaks_first: the rule's role is heard before the other side."""

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.detectors.first_word import first_turn, first_word_at
from pipeline.detect.scene import Scene, timing
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role, Turn
from pipeline.units import clock


class SpeaksFirstParameters(Parameters):
    """这一方（`role`，不写是客户）比另一方先开口。没有别的键。"""


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """Present when the role's first word is earlier than the other side's; see `Detect`."""
    role = rule.role or Role.CUSTOMER
    own, other = first_turn(scene, role), first_turn(scene, role.opposite)
    if not scene.roles_known or (own is None and other is None):
        why = "没有听到说话" if scene.roles_known else "角色把握不足"
        confidence = scene.call.transcript.roles.confidence
        return (scene.finding(rule, Outcome.CANNOT_TELL, (), f"{rule.title}：{why}，无法判断。", confidence),)
    is_first = own is not None and (other is None or first_word_at(own) < first_word_at(other))
    evidence = [timing(turn.span, turn.role, turn=turn.index) for turn in (own, other) if turn]
    told = "，".join(_told(turn) for turn in (own, other) if turn)
    outcome = Outcome.PRESENT if is_first else Outcome.ABSENT
    return (scene.finding(rule, outcome, evidence, f"{rule.title}：{told}。", scene.role_factor),)


def _told(turn: Turn) -> str:
    return f"{turn.role.chinese}第一句话在 {clock(first_word_at(turn))}"


DETECTOR = Detector(parameters=SpeaksFirstParameters, detect=detect)
