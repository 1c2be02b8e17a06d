"""`CaseFile`: what a case file says, gathered once, laid out as a page, on paper or in a bundle."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pipeline.errors import CallscoreError
from pipeline.findings import Finding, How, Outcome
from pipeline.media.clips import cut_clip
from pipeline.media.values import time_zone
from pipeline.ruleset import Rule, RuleSet, Status
from pipeline.scorecard import NAMED_BY_NO_FORM, OPEN, Scorecard
from pipeline.settings import Settings
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.template import Template
from pipeline.timeline import Recording, Span, Transcript
from pipeline.units import Ms, clock
from pipeline.workflows.dispute.history import Event, history
from pipeline.workflows.dispute.replay import (
    Agreement,
    Replay,
    RulesOf,
    call_of_the_day,
    encoder_of,
    replayed,
)
from pipeline.workflows.evidence.form import Form
from pipeline.workflows.same_bytes import same_bytes

PAD_MS: Ms = 3_000
"""A clip begins so long before what was found and ends so long after it."""
LONGEST_CLIP_MS: Ms = 30_000
"""Of what is longer only the beginning is cut out."""
DIRECTIONS = {"inbound": "呼入", "outbound": "呼出", None: "未知"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A piece of the recording as WAV. `span` is where it was cut, without the margins."""

    name: str
    span: Span
    wav: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One finding as the case shows it; `clip` None: it has no place in the recording, or no audio."""

    number: int
    finding: Finding
    rule: Rule | None
    clip: Clip | None

    @property
    def title(self) -> str:
        return self.rule.title if self.rule else self.finding.rule_id

    @property
    def quote(self) -> str:
        return self.finding.evidence[0].quote if self.finding.evidence else ""

    @property
    def phrase(self) -> str:
        return self.finding.evidence[0].phrase if self.finding.evidence else ""

    @property
    def how(self) -> str:
        best = self.finding.evidence[0].how if self.finding.evidence else How.NONE
        return best.chinese if best is not How.NONE else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the transcript: a turn, or (`who` empty) what happened between."""

    start: Ms
    who: str
    text: str


class Tone(StrEnum):
    """How a figure is meant."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of the figures on top of a case."""

    label: str
    value: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """Everything about one scoring. `facts` and `versions` are label and value; `rules` the texts of the
    rules that were used, by file; `notes` what the reader must know."""

    name: str
    made_at: datetime
    zone: str
    recording: Recording
    card: Scorecard | None
    template: Template | None
    facts: tuple[tuple[str, str], ...]
    exhibits: tuple[Exhibit, ...]
    absences: tuple[Exhibit, ...]
    lines: tuple[Line, ...]
    events: tuple[Event, ...]
    rules: Mapping[str, str]
    versions: tuple[tuple[str, str], ...]
    replay: Replay
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"评分案卷 {self.name}"

    @property
    def clips(self) -> tuple[Clip, ...]:
        """Every clip once."""
        found = {e.clip.name: e.clip for e in (*self.exhibits, *self.absences) if e.clip}
        return tuple(found.values())

    @property
    def form(self) -> Form | None:
        """The card item by item; None: there is none."""
        numbers = {e.finding.id: e.number for e in (*self.exhibits, *self.absences)}
        return Form(card=self.card, exhibits=numbers) if self.card else None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The card in a few figures."""
        card = self.card
        return () if card is None else tuple(_figures(card))

    def local(self, at: datetime) -> str:
        """A moment in the reader's time zone."""
        return at.astimezone(time_zone(self.zone)).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which scoring to make a case of; `audio`: where its recording is now."""

    stored: StoredCall
    made_at: datetime
    audio: Path | None = None


def case_of(order: Order, store: Store, rules: RulesOf, settings: Settings) -> CaseFile:
    """Gather everything. A recording that is missing or has other bytes gives a note instead of clips."""
    stored = order.stored
    ruleset = rules(stored.ruleset_digest, encoder_of(stored))
    recording = call_of_the_day(stored).recording
    path, notes = _audio(recording, order.audio)
    exhibits, absences = _exhibits(stored, ruleset, path)
    replay = replayed(stored, store, rules, settings)
    return CaseFile(
        name=recording.name,
        made_at=order.made_at,
        zone=settings.time_zone,
        recording=recording,
        card=stored.scorecard,
        template=_template(stored, ruleset),
        facts=_facts(recording, settings),
        exhibits=exhibits,
        absences=absences,
        lines=_lines(stored.transcript),
        events=history(store, recording.id),
        rules=_texts(stored, ruleset),
        versions=_versions(stored, replay),
        replay=replay,
        notes=notes,
    )


def _figures(card: Scorecard) -> Iterator[Figure]:
    yield Figure(label="已得", value=str(card.total))
    yield Figure(
        label="待定", value=str(card.open_points), tone=Tone.OPEN if card.open_points else Tone.PLAIN
    )
    one = card.lowest == card.highest
    yield Figure(
        label="总分" if one else "总分范围",
        value=str(card.lowest) if one else f"{card.lowest}–{card.highest}",
    )
    yield Figure(label="满分", value=str(card.full or card.points_possible))
    if card.passed is not None:
        told, tone = ("合格", Tone.GOOD) if card.passed else ("不合格", Tone.BAD)
        yield Figure(label=f"合格线 {card.pass_mark}", value=told, tone=tone)
    if card.fatal:
        takes = any(cause.holds and cause.zero != NAMED_BY_NO_FORM for cause in card.fatals)
        yield Figure(label="结论", value="一票否决" if takes else "有红线", tone=Tone.BAD)


def _audio(recording: Recording, audio: Path | None) -> tuple[Path | None, tuple[str, ...]]:
    try:
        return same_bytes(recording, audio), ()
    except CallscoreError as error:
        return None, (f"没有录音片段：{error.message}。",)


def _exhibits(
    stored: StoredCall, ruleset: RuleSet, path: Path | None
) -> tuple[tuple[Exhibit, ...], tuple[Exhibit, ...]]:
    """What was found or cannot be told, by time; then what was looked for and is not there."""
    cutter = Cutter(path)
    ordered = sorted(stored.findings, key=lambda f: _place(f, ruleset.rule(f.rule_id)))
    shown = [
        Exhibit(
            number=number,
            finding=finding,
            rule=ruleset.rule(finding.rule_id),
            clip=cutter.clip(finding),
        )
        for number, finding in enumerate(ordered, start=1)
    ]
    there = tuple(e for e in shown if e.finding.outcome is not Outcome.ABSENT)
    return there, tuple(e for e in shown if e.finding.outcome is Outcome.ABSENT)


def _place(finding: Finding, rule: Rule | None) -> tuple[bool, bool, Ms, str, str]:
    draft = rule is not None and rule.status is Status.DRAFT
    return finding.outcome is Outcome.ABSENT, draft, finding.span.start, finding.rule_id, finding.id


class Cutter:
    """Cuts clips out of one recording, each place once. Without a path nothing is cut."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._cut: dict[Span, Clip | None] = {}

    def clip(self, finding: Finding) -> Clip | None:
        """The place of a finding; None for an absence and for what has no place."""
        if self._path is None or finding.outcome is Outcome.ABSENT or not finding.evidence:
            return None
        span = Span(min(e.span.start for e in finding.evidence), max(e.span.end for e in finding.evidence))
        if span.duration > LONGEST_CLIP_MS:
            span = Span(span.start, span.start + LONGEST_CLIP_MS)
        if span not in self._cut:
            self._cut[span] = self._make(self._path, span)
        return self._cut[span]

    def _make(self, path: Path, span: Span) -> Clip | None:
        name = f"clips/{clock(span.start).replace(':', '-')}_{clock(span.end).replace(':', '-')}.wav"
        try:
            return Clip(name=name, span=span, wav=cut_clip(path, span, PAD_MS))
        except CallscoreError:
            return None


def _template(stored: StoredCall, ruleset: RuleSet) -> Template | None:
    card = stored.scorecard
    return next((t for t in ruleset.templates if card and t.id == card.template_id), None)


def _texts(stored: StoredCall, ruleset: RuleSet) -> dict[str, str]:
    """The files of the template, of the rules that found something or cannot tell, and of those that an
    item rests on; without the example sentences that only test a rule."""
    card, template = stored.scorecard, _template(stored, ruleset)
    settled = [item for item in card.items if item.verdict not in OPEN] if card else []
    deciding = {name for item in settled for name in item.findings}
    rules = {f.rule_id for f in stored.findings if f.outcome is not Outcome.ABSENT or f.id in deciding}
    paths = {rule.source.path for rule in ruleset.rules if rule.id in rules}
    first = [template.source.path] if template else []
    return {
        path: without_cases(ruleset.files[path]) for path in (*first, *sorted(paths)) if path in ruleset.files
    }


def without_cases(text: str) -> str:
    """The text of a rule file up to its `cases`, which decide nothing."""
    lines = text.splitlines()
    kept: list[str] = []
    skipping = False
    for line in lines:
        if line[:1] not in ("", " ", "-", "\t"):
            skipping = line.startswith("cases:")
            if skipping:
                kept.append("# cases：例句从略")
        if not skipping:
            kept.append(line)
    return "\n".join(kept).rstrip() + "\n"


def _facts(recording: Recording, settings: Settings) -> tuple[tuple[str, str], ...]:
    zone = time_zone(settings.time_zone)
    started = recording.started_at
    complaint = {True: "是", False: "否", None: ""}[recording.is_complaint]
    facts = (
        ("通话编号", recording.call_id or ""),
        ("开始时间", started.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if started else ""),
        ("时长", clock(recording.duration)),
        ("坐席", recording.agent_id or ""),
        ("客户", recording.customer or ""),
        ("方向", DIRECTIONS[recording.direction]),
        ("业务", recording.business or ""),
        ("投诉", complaint),
        ("录音文件", Path(recording.path).name),
        ("录音格式", f"{recording.codec}，{recording.sample_rate} Hz，{recording.channels} 声道"),
        ("录音 sha256", recording.sha256),
    )
    return tuple(fact for fact in facts if fact[1])


def _versions(stored: StoredCall, replay: Replay) -> tuple[tuple[str, str], ...]:
    made, kept = stored.transcript.provenance, stored.circumstances
    decided = "，".join(f"{name} = {value}" for name, value in sorted(kept.settings.items())) if kept else ""
    card = stored.scorecard
    versions = (
        ("评分 sha256", stored.body_sha256),
        ("规则集", stored.ruleset_digest),
        ("评分表", f"{card.template_id} 第 {card.template_version} 版" if card else "没有适用的评分表"),
        ("影响评分的设置", decided or "没有存下（旧版数据库）"),
        ("句子模型", encoder_of(stored) or ""),
        ("程序版本", kept.program if kept else ""),
        ("语音模型", made.model),
        ("语音模型 sha256", made.model_sha256),
        ("识别设置", made.settings_digest),
        ("听法版本", made.pipeline),
        ("转写来源", stored.origin.chinese),
        ("角色依据", stored.transcript.roles.reason),
        ("重放 sha256", replay.sha256),
    )
    return tuple(version for version in versions if version[1])


REPLAYED = {
    Agreement.IDENTICAL: "制作案卷时已重放：与存下的评分逐字节相同。",
    Agreement.SAME_FIELDS: "制作案卷时已重放：存下的每个字段都相同（新版程序多了字段，摘要不同）。",
    Agreement.DIFFERENT: "制作案卷时已重放：结果与存下的评分不同！",
}


def _lines(transcript: Transcript) -> tuple[Line, ...]:
    lines = [Line(start=t.span.start, who=t.role.chinese, text=t.text) for t in transcript.turns]
    lines += [Line(start=r.start, who="", text=f"振铃，到 {clock(r.end)}") for r in transcript.rings]
    for hold in transcript.holds:
        what = "等待音乐" if hold.music else "静音等待"
        lines.append(Line(start=hold.span.start, who="", text=f"{what}，到 {clock(hold.span.end)}"))
    for silence in transcript.silences:
        seconds = f"无人说话 {silence.duration / 1000:.1f} 秒"
        lines.append(Line(start=silence.start, who="", text=seconds))
    lines += [Line(start=u.start, who="", text=f"听不清，到 {clock(u.end)}") for u in transcript.unclear]
    return tuple(sorted(lines, key=lambda line: line.start))
