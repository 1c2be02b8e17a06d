"""Hold stored calls against a folder of labelled ones (`truth/<call_id>.json`)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import AliasPath, BaseModel, Field, ValidationError

from pipeline.errors import BadInput, NotFound
from pipeline.findings import Finding
from pipeline.ruleset import Status
from pipeline.storage.records import RuleFacts
from pipeline.timeline import Role, Span, Transcript
from pipeline.units import Ms, to_ms
from pipeline.workflows import metrics
from pipeline.workflows.item_agreement import Filled, Judged, judged
from pipeline.workflows.metrics import CharacterCount, Observed, RoleTime, Score, Tally, Truth

GROUPS = {
    "开场要素": ("greeting_word", "agent_id_or_name", "company", "offer_help"),
    "结束要素": ("problem_resolved_confirm", "anything_else", "satisfaction_invite", "thanks", "goodbye"),
    "禁语": ("forbidden",),
    "缺失判断": ("missing",),
}
"""Labels that are also summed up; a name without a dot takes all its categories."""

_OUTBOUND_ELEMENTS = ("purpose_stated", "permission_asked")
_LONG_WAIT: Ms = 120_000
_EVENTS = (
    "fast_speech",
    "hold_announced.no_reason",
    "hold_announced.with_reason",
    "hold_over_120s_no_update",
    "hold_return.apology",
    "hold_return.thanks",
    "late_greeting.gt3",
    "late_greeting.gt5",
)
"""Labels that are written down wherever they occur: a call without one has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardCall:
    """What the pipeline made of one call. `baseline` None: no baseline was run; `methods`: what each way of
    matching found; `filled`: its scorecards."""

    name: str
    transcript: Transcript
    observed: tuple[Observed, ...]
    baseline: tuple[Observed, ...] | None = None
    methods: Mapping[str, tuple[Observed, ...]] = field(default_factory=dict)
    filled: Filled | None = None


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
    methods: Mapping[str, Tally] = field(default_factory=dict)
    items: tuple[Judged, ...] = ()


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
        parts = [s for label, s in self.scores(baseline=baseline).items() if in_group(label, name)]
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


def in_group(label: str, group: str) -> bool:
    """Whether one of GROUPS sums up a label."""
    return label in GROUPS[group] or label.split(".")[0] in GROUPS[group]


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
        methods={name: metrics.tally(truth, seen) for name, seen in heard.methods.items()},
        items=judged(truth.name, truth.facts, heard.filled) if heard.filled else (),
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


class _HoldPart(_Piece):
    music: bool = True


class _TruthFile(BaseModel):
    id: str
    channels: str = Field(validation_alias=AliasPath("metadata", "channels"))
    agent_channel: str | None = Field(None, validation_alias=AliasPath("metadata", "agent_channel"))
    codec: str = Field(validation_alias=AliasPath("metadata", "format", "codec"))
    noise: str = Field("none", validation_alias=AliasPath("metadata", "noise", "kind"))
    snr: float | None = Field(None, validation_alias=AliasPath("metadata", "noise", "snr"))
    queue_wait: float | None = Field(None, validation_alias=AliasPath("metadata", "queue_wait_seconds"))
    rings: int | None = Field(None, validation_alias=AliasPath("metadata", "ring_count"))
    quality: str = Field("", validation_alias=AliasPath("metadata", "quality"))
    greeting_start: float = Field(validation_alias=AliasPath("checklist", "greeting_start"))
    checklist: dict[str, bool | float | dict[str, bool] | None]
    missing: tuple[str, ...] = ()
    turns: tuple[_TurnPart, ...]
    events: tuple[_EventPart, ...] = ()
    holds: tuple[_HoldPart, ...] = ()


def read_truths(folder: Path) -> Iterator[Truth]:
    """Truth of every labelled call, by name. Raises NotFound (no truth there), BadInput (unreadable)."""
    files = sorted((folder / "truth").glob("*.json"))
    if not files:
        raise NotFound(f"{folder}：没有 truth/*.json", hint="要标注过的通话的文件夹，如 data/demo")
    for path in files:
        try:
            yield _truth(_TruthFile.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            raise BadInput(f"{path}：不是一通电话的标注：{_first_fault(error)}") from error


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
        facts=_facts(file, _flat(file.checklist, sections.values())),
    )


def _facts(file: _TruthFile, checklist: Mapping[str, bool]) -> dict[str, int]:
    """label -> how often: events, elements of the checklist, holds, and what the metadata says."""
    facts = dict.fromkeys(_EVENTS, 0) | {label: int(said) for label, said in checklist.items()}
    for event in file.events:
        label = metrics.label_of(event.label, event.category)
        if label not in checklist:
            facts[label] = facts.get(label, 0) + 1
    facts["late_greeting"] = facts["late_greeting.gt3"] + facts["late_greeting.gt5"]
    return facts | _hold_facts(file) | _metadata_facts(file)


def _hold_facts(file: _TruthFile) -> dict[str, int]:
    """Waits that an update interrupts are one wait."""
    waits = [hold.span.duration for hold in file.holds]
    together = sum(waits) if any(event.label == "hold_update" for event in file.events) else 0
    return {
        "hold": len(waits),
        "hold_without_music": sum(not hold.music for hold in file.holds),
        "hold_over_120s": int(max([*waits, together], default=0) > _LONG_WAIT),
    }


def _metadata_facts(file: _TruthFile) -> dict[str, int]:
    facts: dict[str, int] = {}
    if file.queue_wait is not None:
        facts |= {f"queue_over_{limit}s": int(file.queue_wait > limit) for limit in (10, 15, 30)}
    if file.rings is not None:
        facts["rings_over_3"] = int(file.rings > 3)
    return facts


def _flat(checklist: Mapping[str, object], sections: Iterable[Mapping[str, bool]]) -> dict[str, bool]:
    """element -> said. Late greetings are left to the events, which name the larger delay only."""
    said = {name: value for name, value in checklist.items() if isinstance(value, bool)}
    for section in sections:
        said |= section
    return {name: value for name, value in said.items() if not name.startswith("late_greeting")}
