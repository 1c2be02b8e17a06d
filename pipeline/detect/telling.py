"""How detectors answer when they found nothing, or cannot know."""

from collections.abc import Iterable

from pipeline.detect.scene import DOUBTFUL_SHARE, Scene
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Rule


def absent(
    rule: Rule, scene: Scene, confidence: float, told: str = "没有", evidence: Iterable[Evidence] = ()
) -> tuple[Finding, ...]:
    """The one finding of a rule that found nothing; names the span that was searched."""
    text = f"{rule.title}：{told}，在 {scene.searched(rule)} 之间找过。"
    return (scene.finding(rule, Outcome.ABSENT, evidence, text, confidence),)


def cannot_tell(
    rule: Rule, scene: Scene, why: str, evidence: Iterable[Evidence] = (), confidence: float = 0.0
) -> tuple[Finding, ...]:
    """The one finding of a rule that cannot know; `confidence` is that of its best candidate."""
    return (
        scene.finding(rule, Outcome.CANNOT_TELL, evidence, f"{rule.title}：{why}，无法判断。", confidence),
    )


def roles_unknown(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """`cannot_tell` where it is not known who is the agent, else nothing."""
    if scene.roles_known:
        return ()
    share = scene.call.transcript.roles.confidence
    return cannot_tell(rule, scene, f"角色把握只有 {share:.0%}，不知道是谁说的", confidence=share)


def not_understood(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """`cannot_tell` where too little was understood to say that something is absent, else nothing."""
    doubt = scene.doubtful_share(rule)
    if doubt < DOUBTFUL_SHARE:
        return ()
    who = rule.role.chinese if rule.role else "双方"
    spoken = any(m.stretch >= 0 and rule.role in (None, m.role) for m in scene.heard.marks)
    why = f"{who}有 {doubt:.0%} 的话没有听清" if spoken else f"没有听到{who}说话"
    return cannot_tell(rule, scene, why, confidence=1 - doubt)
