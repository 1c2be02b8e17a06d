"""entity: a number that identifies a person is read out: mobile phone, identity card, bank card."""

from collections.abc import Iterable, Sequence
from typing import Literal, cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.numbers import Digits, Kind, Number, numbers, rows, said_before
from pipeline.detect.scene import Scene
from pipeline.detect.telling import absent, cannot_tell, not_understood, roles_unknown
from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role
from pipeline.units import clock


class EntityParameters(Parameters):
    """完整读出的个人号码。读成“幺”“两”“洞”“拐”，写成 `1021` 或“一零二一”都认；中间有停顿、对方插一声“嗯”
    或跟着重复，也算连着读。

    `phone` 手机号：十一位，以 13 到 19 开头。`id_card` 身份证：十八位，出生日期和末位校验码都对。
    `bank_card` 银行卡：十六到十九位，校验位（Luhn）对。位数像、校验不过的，可能听错了一位：“无法判断”。
    说明文字只写头尾几位，中间用星号。
    """

    kinds: tuple[Literal["phone", "id_card", "bank_card"], ...] = Field(
        min_length=1, description="找哪几种号码"
    )
    unless_given: bool = Field(False, description="true：对方先报过的号码，复述核对不算")


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each number read out; see `Detect`."""
    unknown = roles_unknown(rule, scene) if rule.role else ()
    if unknown:
        return unknown
    found = _found(rule, scene)
    factor = scene.role_factor if rule.role else 1.0
    sure = [n for n in found if n.checked and n.confidence * factor >= scene.thresholds.match_confidence]
    if sure:
        return tuple(_present(rule, scene, number, factor) for number in sure)
    if found:
        places = "；".join(_told(scene, number) for number in found)
        evidence = [piece for number in found for piece in _evidence(scene, number)]
        best = max(number.confidence * factor for number in found)
        return cannot_tell(rule, scene, f"{places}，可能有听错的数字", evidence, best)
    return not_understood(rule, scene) or absent(rule, scene, (1 - scene.doubtful_share(rule)) * factor)


def _found(rule: Rule, scene: Scene) -> list[Number]:
    wanted = cast(EntityParameters, rule.parameters)
    kinds = tuple(Kind(kind) for kind in wanted.kinds)
    inside = scene.within(rule)
    roles = (Role.AGENT, Role.CUSTOMER, Role.UNKNOWN, Role.OTHER) if rule.role is None else (rule.role,)
    found = [
        number
        for role in roles
        for row in rows(scene.heard, role)
        for number in numbers(row, kinds)
        if inside >> number.digits[0].at & 1
    ]
    if wanted.unless_given:
        found = [number for number in found if not _given(scene, number)]
    return sorted(found, key=lambda number: number.digits[0].at)


def _given(scene: Scene, number: Number) -> bool:
    """Whether the other side had read the number out before."""
    role = scene.heard.marks[number.digits[0].at].role
    before: Iterable[Digits] = rows(scene.heard, role.opposite) if role.opposite is not role else ()
    return any(said_before(row, number, scene.heard) for row in before)


def _present(rule: Rule, scene: Scene, number: Number, factor: float) -> Finding:
    told = f"{rule.title}：{_told(scene, number)}。"
    confidence = number.confidence * factor
    return scene.finding(rule, Outcome.PRESENT, _evidence(scene, number), told, confidence)


def _told(scene: Scene, number: Number) -> str:
    first = scene.heard.marks[number.digits[0].at]
    like = "" if number.checked else "像"
    check = "" if number.checked else f"（{number.fault}）"
    kind = number.kind.chinese
    return f"{first.role.chinese}在 {clock(first.span.start)} 读出{like}{kind} {number.masked}{check}"


def _evidence(scene: Scene, number: Number) -> list[Evidence]:
    """One piece for each stretch of speech that holds a part of the number."""
    heard, pieces = scene.heard, _pieces(scene, [digit.at for digit in number.digits])
    sure = all(digit.sure for digit in number.digits)
    return [
        Evidence(
            span=heard.span(start, end),
            role=heard.marks[start].role,
            turn=scene.call.transcript.turns[heard.marks[start].turn].index,
            quote=heard.quote(start, end),
            phrase=number.kind.chinese,
            how=How.EXACT if sure else How.SAME_SOUND,
        )
        for start, end in pieces
    ]


def _pieces(scene: Scene, positions: Sequence[int]) -> list[tuple[int, int]]:
    marks = scene.heard.marks
    pieces: list[tuple[int, int]] = []
    for at in positions:
        if pieces and marks[pieces[-1][0]].stretch == marks[at].stretch:
            pieces[-1] = (pieces[-1][0], at + 1)
        else:
            pieces.append((at, at + 1))
    return pieces


DETECTOR = Detector(parameters=EntityParameters, detect=detect)
