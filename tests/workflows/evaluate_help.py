"""A labelled call, and what was heard of it, to evaluate."""

import json
from pathlib import Path
from typing import Any

from pipeline.findings import Outcome
from pipeline.timeline import Provenance, Role, RoleAssignment, Span, Transcript, Turn, Word
from pipeline.workflows import metrics
from pipeline.workflows.evaluate import read_truths
from pipeline.workflows.metrics import Observed, Score, Truth

GREETING = "您好，工号1021。"
QUESTION = "我想查话费。"
RUDE = "这不归我们管。"


def truth_json(**changes: Any) -> dict[str, Any]:
    """A stereo call, agent on the left: a greeting at 1 s, a question at 4 s, a rude answer at 8 s."""
    turns = [("agent", 1.0, 3.0, GREETING), ("customer", 4.0, 6.0, QUESTION), ("agent", 8.0, 9.0, RUDE)]
    rude = {"label": "forbidden", "category": "shirking", "role": "agent", "start": 8.0, "end": 9.0}
    return {
        "id": "t1",
        "file": "audio/t1.wav",
        "metadata": {
            "channels": "stereo",
            "agent_channel": "left",
            "format": {"codec": "mp3", "rate": 8000},
            "noise": {"snr": 20, "kind": "office"},
            "quality": "faulty",
        },
        "checklist": {
            "greeting": {"greeting_word": True, "agent_id_or_name": True, "company": False},
            "closing": {"thanks": False},
            "greeting_start": 1.0,
            "late_greeting_gt3": False,
            "apology": False,
        },
        "missing": ["company", "thanks"],
        "turns": [
            {
                "role": r,
                "start": a,
                "end": b,
                "text": t,
                "voice": f"v_{r}",
                "segments": [{"start": a, "end": b}],
            }
            for r, a, b, t in turns
        ],
        "events": [{**rude, "text": RUDE}],
    } | changes


def write(folder: Path, *truths: dict[str, Any]) -> Path:
    (folder / "truth").mkdir(exist_ok=True)
    for truth in truths:
        (folder / "truth" / f"{truth['id']}.json").write_text(json.dumps(truth), encoding="utf-8")
    return folder


def a_truth(tmp_path: Path, **changes: Any) -> Truth:
    (truth,) = read_truths(write(tmp_path, truth_json(**changes)))
    return truth


def turn(role: Role, start: int, end: int, text: str, channel: int | None) -> Turn:
    step = (end - start) // max(len(text), 1)
    words = tuple(
        Word(span=Span(start + n * step, start + (n + 1) * step), text=character, probability=0.9)
        for n, character in enumerate(text)
    )
    return Turn(index=0, speaker=0, role=role, channel=channel, span=Span(start, end), words=words)


def transcript(*turns: Turn) -> Transcript:
    return Transcript(
        turns=turns,
        roles=RoleAssignment(confidence=1.0, reason=""),
        provenance=Provenance(pipeline="1", model="m", model_sha256="s", settings_digest="d"),
    )


PERFECT = transcript(
    turn(Role.AGENT, 1000, 3000, "您好，工号一零二一。", 0),
    turn(Role.CUSTOMER, 4000, 6000, QUESTION, 1),
    turn(Role.AGENT, 8000, 9000, RUDE, 0),
)


def seen(label: str, start: int, end: int, outcome: Outcome = Outcome.PRESENT) -> Observed:
    name, _, category = label.partition(".")
    return Observed(label=name, category=category or None, outcome=outcome, span=Span(start, end))


def scored(truth: Truth, *found: Observed) -> dict[str, Score]:
    return metrics.tally(truth, found).scores


def event(label: str, start: float, end: float, category: str | None = None) -> dict[str, Any]:
    return {"label": label, "category": category, "role": "agent", "start": start, "end": end, "text": "原文"}
