"""Hold stored calls against a folder of labelled ones (`truth/<call_id>.json`), and lay it out as tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import AliasPath, BaseModel, Field, ValidationError
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.errors import BadInput, NotFound
from pipeline.findings import Finding
from pipeline.ruleset import Status
from pipeline.storage.records import RuleFacts
from pipeline.timeline import Role, Span, Transcript
from pipeline.units import Ms, clock, to_ms
from pipeline.workflows import metrics
from pipeline.workflows.metrics import CharacterCount, Observed, RoleTime, Score, Tally, Truth

GROUPS = {
    "开场要素": ("greeting_word", "agent_id_or_name", "company", "offer_help"),
    "结束要素": ("problem_resolved_confirm", "anything_else", "satisfaction_invite", "thanks", "goodbye"),
    "禁语": ("forbidden",),
    "缺失判断": ("missing",),
}
"""Labels that are also summed up; a name without a dot takes all its categories."""

_OUTBOUND_ELEMENTS = ("purpose_stated", "permission_asked")
_CHANNELS = {"stereo": "双声道", "mono": "单声道"}
_BASELINE_HEADINGS = ("基线精确率", "基线召回率", "基线 F1")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardCall:
    """What the pipeline made of one call. `baseline` None: no baseline was run."""

    name: str
    transcript: Transcript
    observed: tuple[Observed, ...]
    baseline: tuple[Observed, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """One call measured. `greeting_error` is signed, heard minus truth; None: no agent was heard."""

    truth: Truth
    characters: tuple[CharacterCount, ...]
    roles: RoleTime
    greeting_error: Ms | None
    rules: Tally
    baseline: Tally | None
    covered: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All calls of the folder. `unheard` names labelled calls that were not among the heard ones."""

    results: tuple[CallResult, ...]
    unheard: tuple[str, ...]

    def scores(self, *, baseline: bool = False) -> dict[str, Score]:
        """Scores by label, summed over the calls."""
        summed: dict[str, Score] = {}
        for result in self.results:
            counted = result.baseline if baseline else result.rules
            for label, score in (counted.scores if counted else {}).items():
                summed[label] = summed.get(label, Score()) + score
        return dict(sorted(summed.items()))

    def group(self, name: str, *, baseline: bool = False) -> Score:
        """One of GROUPS, summed."""
        parts = [s for label, s in self.scores(baseline=baseline).items() if _in_group(label, name)]
        return sum(parts, Score())

    def roles(self, channels: str | None = None) -> RoleTime:
        """Summed over stereo, mono or all calls."""
        chosen = (r.roles for r in self.results if channels in (None, r.truth.channels))
        return sum(chosen, RoleTime())

    def greeting_share(self) -> float:
        """Share of calls whose greeting starts within GREETING_TOLERANCE of the truth."""
        errors = (r.greeting_error for r in self.results)
        near = sum(e is not None and abs(e) <= metrics.GREETING_TOLERANCE for e in errors)
        return near / max(len(self.results), 1)

    @property
    def has_baseline(self) -> bool:
        return any(result.baseline is not None for result in self.results)


def observe(findings: Iterable[Finding], rules: Mapping[str, RuleFacts]) -> tuple[Observed, ...]:
    """Findings in the vocabulary of the labels, those of drafts left out, which never count. A rule that
    `rules` does not hold raises KeyError."""
    return tuple(
        Observed(
            label=rules[f.rule_id].label, category=rules[f.rule_id].category, outcome=f.outcome, span=f.span
        )
        for f in findings
        if rules[f.rule_id].status is Status.ACTIVE
    )


def evaluate(folder: Path, calls: Iterable[HeardCall]) -> Evaluation:
    """Measure every call that the folder has truth for. Raises NotFound, BadInput."""
    heard = {call.name: call for call in calls}
    truths = tuple(read_truths(folder))
    return Evaluation(
        results=tuple(measure(truth, heard[truth.name]) for truth in truths if truth.name in heard),
        unheard=tuple(truth.name for truth in truths if truth.name not in heard),
    )


def measure(truth: Truth, heard: HeardCall) -> CallResult:
    """One call against its truth."""
    start = metrics.greeting_start(heard.transcript)
    return CallResult(
        truth=truth,
        characters=metrics.character_errors(truth, heard.transcript),
        roles=metrics.role_time(truth, heard.transcript),
        greeting_error=None if start is None else start - truth.greeting_start,
        rules=metrics.tally(truth, heard.observed),
        baseline=None if heard.baseline is None else metrics.tally(truth, heard.baseline),
        covered=frozenset(metrics.label_of(o.label, o.category) for o in heard.observed),
    )


# reading truth


class _Piece(BaseModel):
    """Only what is measured is read; truth files say more."""

    start: float
    end: float

    @property
    def span(self) -> Span:
        return Span(to_ms(self.start), to_ms(max(self.start, self.end)))


class _TurnPart(_Piece):
    role: Role
    text: str
    voice: str = ""
    segments: tuple[_Piece, ...] = ()

    @property
    def value(self) -> metrics.TruthTurn:
        pieces = tuple(piece.span for piece in self.segments) or (self.span,)
        return metrics.TruthTurn(
            role=self.role, span=self.span, pieces=pieces, text=self.text, voice=self.voice
        )


class _EventPart(_Piece):
    label: str
    category: str | None = None
    text: str = ""

    @property
    def value(self) -> metrics.Event:
        return metrics.Event(label=self.label, category=self.category, span=self.span, text=self.text)


class _TruthFile(BaseModel):
    id: str
    channels: str = Field(validation_alias=AliasPath("metadata", "channels"))
    agent_channel: str | None = Field(None, validation_alias=AliasPath("metadata", "agent_channel"))
    codec: str = Field(validation_alias=AliasPath("metadata", "format", "codec"))
    noise: str = Field("none", validation_alias=AliasPath("metadata", "noise", "kind"))
    snr: float | None = Field(None, validation_alias=AliasPath("metadata", "noise", "snr"))
    quality: str = Field("", validation_alias=AliasPath("metadata", "quality"))
    greeting_start: float = Field(validation_alias=AliasPath("checklist", "greeting_start"))
    checklist: dict[str, bool | float | dict[str, bool] | None]
    missing: tuple[str, ...] = ()
    turns: tuple[_TurnPart, ...]
    events: tuple[_EventPart, ...] = ()


def read_truths(folder: Path) -> Iterator[Truth]:
    """Truth of every labelled call, by name. Raises NotFound (no truth there), BadInput (unreadable)."""
    files = sorted((folder / "truth").glob("*.json"))
    if not files:
        raise NotFound(f"{folder}: no truth/*.json", hint="name a folder of labelled calls")
    for path in files:
        try:
            yield _truth(_TruthFile.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            raise BadInput(f"{path}: no truth of a call: {_first_fault(error)}") from error


def _first_fault(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return str(error)
    fault = error.errors(include_input=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def _truth(file: _TruthFile) -> Truth:
    sections = {name: part for name, part in file.checklist.items() if isinstance(part, dict)}
    applicable = [*sections.get("greeting", ()), *sections.get("closing", ())]
    applicable += [element for element in _OUTBOUND_ELEMENTS if element in sections.get("outbound", ())]
    return Truth(
        name=file.id,
        channels=file.channels,
        agent_channel={"left": 0, "right": 1}.get(file.agent_channel or ""),
        codec=file.codec,
        noise=file.noise if file.snr is None else f"{file.noise} {file.snr:g} dB",
        quality=file.quality,
        greeting_start=to_ms(file.greeting_start),
        turns=tuple(turn.value for turn in file.turns),
        events=tuple(event.value for event in file.events),
        checklist=_flat(file.checklist, sections.values()),
        elements=tuple(applicable),
        missing=file.missing,
    )


def _flat(checklist: Mapping[str, object], sections: Iterable[Mapping[str, bool]]) -> dict[str, bool]:
    """element -> said. Late greetings are left to the events, which name the larger delay only."""
    said = {name: value for name, value in checklist.items() if isinstance(value, bool)}
    for section in sections:
        said |= section
    return {name: value for name, value in said.items() if not name.startswith("late_greeting")}


# tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table to print: a column of text and columns of figures, or all `prose`."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    prose: bool = False


def sheets(evaluation: Evaluation, *, errors: bool = False) -> tuple[Sheet, ...]:
    """Everything measured, in print order; with `errors` every wrong case too."""
    tallies = [result.rules for result in evaluation.results]
    decoys = _wrong("触发的诱饵", (case for tally in tallies for case in tally.decoys))
    wrong = _wrong("错误清单", (case for tally in tallies for case in tally.cases))
    laid_out = (_bars(evaluation), _characters(evaluation), _calls(evaluation), _labels(evaluation), decoys)
    return tuple(sheet for sheet in (*laid_out, *([wrong] if errors else [])) if sheet.rows)


def print_evaluation(evaluation: Evaluation, console: Console, *, errors: bool = False) -> None:
    """The tables on a terminal, wide characters aligned."""
    for sheet in sheets(evaluation, errors=errors):
        table = Table(title=sheet.title, title_justify="left")
        for index, heading in enumerate(sheet.headings):
            figures = index > 0 and not sheet.prose
            table.add_column(heading, justify="right" if figures else "left", overflow="fold")
        for row in sheet.rows:
            table.add_row(*map(escape, row))
        console.print(table)
    if evaluation.unheard:
        console.print(f"未评测（没有转写）：{'、'.join(evaluation.unheard)}")


def as_markdown(evaluation: Evaluation, *, errors: bool = False) -> str:
    """The same tables for a documentation page."""
    return "\n\n".join(map(_markdown, sheets(evaluation, errors=errors))) + "\n"


def _markdown(sheet: Sheet) -> str:
    lines = [sheet.headings, *sheet.rows]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(sheet.headings))]
    marks = ["-" * width for width in widths]
    printed = ["| " + " | ".join(map(_padded, line, widths)) + " |" for line in (lines[0], marks, *lines[1:])]
    return "\n".join((f"## {sheet.title}", "", *printed))


def _padded(text: str, width: int) -> str:
    return text.replace("|", "\\|") + " " * (width - cell_len(text))


def _bars(evaluation: Evaluation) -> Sheet:
    """What must be reached, beside what was."""
    fired = sum(len(result.rules.decoys) for result in evaluation.results)
    beside = sum(len(result.baseline.decoys) for result in evaluation.results if result.baseline)
    rows = [
        ("角色错误（双声道）", _percent(evaluation.roles("stereo").wrong_share), "", "≤ 3.0 %"),
        ("角色错误（单声道）", _percent(evaluation.roles("mono").wrong_share), "", "≤ 12.0 %"),
        ("开场时间误差 ≤ 0.3 秒的通话", _percent(evaluation.greeting_share()), "", "≥ 90.0 %"),
    ]
    for name in ("开场要素", "结束要素", "禁语"):
        ours, theirs = evaluation.group(name), evaluation.group(name, baseline=True)
        rows.append((f"{name} F1", _share(ours.f1), _share(theirs.f1), "≥ 0.90"))
    rows.append(("触发的诱饵", str(fired), str(beside) if evaluation.has_baseline else "—", "0"))
    return Sheet(title="指标", headings=("指标", "规则", "原字基线", "要求"), rows=tuple(rows))


def _characters(evaluation: Evaluation) -> Sheet:
    """Character error rate by each condition."""
    conditions: dict[str, Callable[[Truth, CharacterCount], str]] = {
        "全部": lambda truth, count: "",
        "声道": lambda truth, count: _CHANNELS.get(truth.channels, truth.channels),
        "角色": lambda truth, count: count.role.chinese,
        "编码": lambda truth, count: truth.codec,
        "噪声": lambda truth, count: truth.noise,
        "声音": lambda truth, count: count.voice,
    }
    counted = [(r.truth, count) for r in evaluation.results for count in r.characters]
    rows: list[tuple[str, ...]] = []
    for name, key in conditions.items():
        groups: dict[str, list[CharacterCount]] = {}
        for truth, count in counted:
            groups.setdefault(key(truth, count), []).append(count)
        rows += [(f"{name} {value}".strip(), *_rate(groups[value])) for value in sorted(groups)]
    return Sheet(title="识别字错率（CER）", headings=("条件", "字数", "错字", "字错率"), rows=tuple(rows))


def _rate(counts: Sequence[CharacterCount]) -> tuple[str, str, str]:
    characters, errors = sum(c.characters for c in counts), sum(c.errors for c in counts)
    return str(characters), str(errors), _percent(errors / characters if characters else None)


def _calls(evaluation: Evaluation) -> Sheet:
    """One line a call, and one for all calls of a kind: characters, roles, greeting."""
    rows = [
        (r.truth.name, _CHANNELS.get(r.truth.channels, r.truth.channels), *_measured([r]))
        for r in evaluation.results
    ]
    for channels, title in (("stereo", "双声道"), ("mono", "单声道"), (None, "全部")):
        chosen = [r for r in evaluation.results if channels in (None, r.truth.channels)]
        rows.append(("合计", title, *_measured(chosen)))
    headings = ("通话", "声道", "字错率", "单人语音（秒）", "角色错误", "未听到", "开场误差（秒）")
    return Sheet(title="逐通：字错率、角色、开场时间", headings=headings, rows=tuple(rows))


def _measured(results: Sequence[CallResult]) -> tuple[str, ...]:
    """Character errors, role errors and the greeting: signed for one call, the mean size for several."""
    cer = _rate([count for result in results for count in result.characters])[2]
    time = sum((result.roles for result in results), RoleTime())
    errors = [r.greeting_error / 1000 for r in results if r.greeting_error is not None]
    mean = f"±{sum(map(abs, errors)) / len(errors):.2f}" if errors else "—"
    greeting = f"{errors[0]:+.2f}" if len(results) == len(errors) == 1 else mean
    shares = (_percent(time.wrong_share), _percent(time.unheard_share))
    return (cer, f"{time.speech / 1000:.1f}", *shares, greeting)


def _labels(evaluation: Evaluation) -> Sheet:
    """Precision, recall, F1: groups first, then every label."""
    ours, theirs = evaluation.scores(), evaluation.scores(baseline=True)
    rows = [(f"【{n}】", *_figures(evaluation.group(n), evaluation.group(n, baseline=True))) for n in GROUPS]
    for label in sorted(ours.keys() | theirs.keys()):
        title = label if _covered(evaluation, label) else f"{label}（无规则）"
        rows.append((title, *_figures(ours.get(label, Score()), theirs.get(label, Score()))))
    shares = ("精确率", "召回率", "F1")
    headings = ("标签", "真值", "误报", "漏报", "判不了", *shares, "存疑", *_BASELINE_HEADINGS)
    width = len(headings) - (0 if evaluation.has_baseline else len(_BASELINE_HEADINGS))
    cut = tuple(row[:width] for row in rows)
    return Sheet(title="标签（精确率、召回率、F1）", headings=headings[:width], rows=cut)


def _figures(ours: Score, theirs: Score) -> tuple[str, ...]:
    shares = (_share(ours.precision), _share(ours.recall), _share(ours.f1))
    beside = (_share(theirs.precision), _share(theirs.recall), _share(theirs.f1))
    counts = (ours.right + ours.missed, ours.false, ours.missed, ours.unsure)
    return (*map(str, counts), *shares, str(ours.doubtful), *beside)


def _in_group(label: str, group: str) -> bool:
    return label in GROUPS[group] or label.split(".")[0] in GROUPS[group]


def _covered(evaluation: Evaluation, label: str) -> bool:
    """Whether any rule ever spoke about the label: without one, a recall of 0 says nothing."""
    asked = label.removeprefix(f"{metrics.MISSING}.")
    return any(asked in result.covered for result in evaluation.results)


def _wrong(title: str, cases: Iterable[metrics.Case]) -> Sheet:
    rows = tuple((c.call, clock(c.at), c.label, c.expected, c.found, c.text) for c in cases)
    headings = ("通话", "时间", "标签", "应为", "结果", "原文（真值）")
    return Sheet(title=title, headings=headings, rows=rows, prose=True)


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f} %"


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"
