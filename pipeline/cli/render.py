"""A call document as people read it on a terminal."""

from datetime import datetime
from itertools import groupby

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.card_view import scorecard_view
from pipeline.cli.wrapping import break_between_characters
from pipeline.findings import How, Outcome
from pipeline.media.values import time_zone
from pipeline.settings import Settings
from pipeline.timeline import Role
from pipeline.units import clock
from pipeline.workflows.document import (
    CallDocument,
    FindingPart,
    RecordingPart,
    TranscriptPart,
    TurnPart,
)

ROLE_STYLES = {"agent": "cyan", "customer": "yellow", "other": "magenta", "unknown": "dim"}
OUTCOME_STYLES = {"present": "", "cannot_tell": "yellow"}
DIRECTIONS = {"inbound": "呼入", "outbound": "呼出", None: "方向未知"}
WITH_YEAR = "%Y-%m-%d %H:%M"
"""Of calls that may be of any year."""
DOUBTFUL_PROBABILITY = 0.4
"""Words below this probability are shown dim and underlined."""


def console(*, plain: bool = False) -> Console:
    """A console that wraps at the terminal's width, at 120 where there is none."""
    break_between_characters()
    found = Console(highlight=False, soft_wrap=False, no_color=plain)
    return found if found.is_terminal else Console(highlight=False, width=120, no_color=True)


def kept_back(hidden: int, who: str) -> Text:
    """Why a viewer does not see everything."""
    told = f"另有 {hidden} 人评过，{who} 交卷（callscore review --done）之后才显示。"
    return Text(told, style="yellow")


def local_time(at: datetime | None, settings: Settings, form: str = "%m-%d %H:%M") -> str:
    """In the time zone of the settings; empty for an unknown time."""
    return at.astimezone(time_zone(settings.time_zone)).strftime(form) if at else ""


def call_view(document: CallDocument, settings: Settings) -> RenderableType:
    """Head, transcript, findings and scorecard of one call."""
    parts: list[RenderableType] = [head(document.recording, document.transcript, settings), Text()]
    parts += [transcript_view(document.transcript), Text()]
    parts += [findings_view(document.findings), absences_view(document.findings), Text()]
    if document.scorecard:
        parts.append(scorecard_view(document.scorecard))
    else:
        parts.append(Text("没有适用于这通电话的评分表", style="yellow"))
    return Group(*parts)


def head(recording: RecordingPart, transcript: TranscriptPart, settings: Settings) -> Text:
    """Who, when, which file, and how sure the roles are."""
    started_at = datetime.fromisoformat(recording.started_at) if recording.started_at else None
    facts = [
        DIRECTIONS.get(recording.direction, recording.direction),
        recording.business,
        f"坐席 {recording.agent_id}" if recording.agent_id else None,
        local_time(started_at, settings),
        clock(recording.duration_ms),
        f"{recording.codec} {recording.sample_rate} Hz {'双声道' if recording.channels > 1 else '单声道'}",
        "投诉" if recording.is_complaint else None,
    ]
    text = Text(f"{recording.call_id or recording.id}  ", style="bold")
    text.append("  ".join(fact for fact in facts if fact) + "\n", style="not bold")
    text.append(f"{recording.path}  [{recording.id}]\n", style="not bold dim")
    text.append(f"角色：{transcript.role_reason}（把握 {transcript.role_confidence:.0%}）", style="not bold")
    for warning in recording.warnings:
        text.append(f"\n注意：{warning}", style="not bold yellow")
    return text


def transcript_view(transcript: TranscriptPart) -> RenderableType:
    """Turns in order of time, with holds and silences between them."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for start, role, words in sorted(_lines(transcript), key=lambda line: line[0]):
        table.add_row(clock(start), role, words)
    return table


def _lines(transcript: TranscriptPart) -> list[tuple[int, Text, Text]]:
    lines = [(turn.start_ms, _role(turn.role), _words(turn)) for turn in transcript.turns]
    for ring in transcript.rings:
        lines.append((ring.start_ms, Text(), Text(f"〔振铃，到 {clock(ring.end_ms)}〕", style="dim")))
    for hold in transcript.holds:
        what = "等待音乐" if hold.music else "静音等待"
        lines.append((hold.start_ms, Text(), Text(f"〔{what}，到 {clock(hold.end_ms)}〕", style="magenta")))
    for silence in transcript.silences:
        seconds = (silence.end_ms - silence.start_ms) / 1000
        lines.append((silence.start_ms, Text(), Text(f"〔无人说话 {seconds:.1f} 秒〕", style="dim")))
    for span in transcript.unclear:
        lines.append((span.start_ms, Text(), Text(f"〔听不清，到 {clock(span.end_ms)}〕", style="yellow")))
    return lines


def _role(role: str) -> Text:
    return Text(Role(role).chinese, style=ROLE_STYLES[role])


def _words(turn: TurnPart) -> Text:
    text = Text()
    for doubtful, words in groupby(turn.words, key=lambda w: w.probability < DOUBTFUL_PROBABILITY):
        text.append("".join(word.text for word in words), style="dim underline" if doubtful else "")
    return text


def findings_view(findings: list[FindingPart]) -> Table:
    """What was found and what could not be told, in order of time."""
    table = Table(title="发现", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("时间", "规则", "结果", "原话", "对照", "方式"):
        table.add_column(heading, overflow="fold")
    table.add_column("把握", justify="right")
    shown = [found for found in findings if found.outcome != Outcome.ABSENT]
    for found in sorted(shown, key=lambda f: (f.start_ms, f.rule_id)):
        present = found.outcome == Outcome.PRESENT
        table.add_row(
            f"{clock(found.start_ms)}–{clock(found.end_ms)}",
            _title(found),
            Outcome(found.outcome).chinese,
            found.quote,
            found.phrase,
            How(found.how).chinese if present else "",
            f"{found.confidence:.0%}" if present else "",
            style=OUTCOME_STYLES[found.outcome],
        )
    return table


def absences_view(findings: list[FindingPart]) -> Text:
    """The rules that looked and found nothing, in one paragraph."""
    absent = [_title(found) for found in findings if found.outcome == Outcome.ABSENT]
    return Text(f"查过而没有：{'、'.join(absent)}" if absent else "", style="dim")


def _title(found: FindingPart) -> str:
    return found.title + ("（草稿）" if found.status == "draft" else "")
