"""The one table of settings: name with unit, default, help.

A setting comes from, last wins: the default here, `callscore.toml` in the current folder (or the file
named by CALLSCORE_SETTINGS), an environment variable `CALLSCORE_<NAME>`, a command-line option.
"""

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import SettingsError

ENV_PREFIX = "CALLSCORE_"
FILE_NAME = "callscore.toml"


def _setting(default: Any, help: str, *, transcript: bool = False, **limits: Any) -> Any:
    """A table row. `transcript=True`: the setting changes what is heard, so it is part of the work's key."""
    return Field(default, description=help, json_schema_extra={"transcript": transcript}, **limits)


def heard(default: Any, help: str, **limits: Any) -> Any:
    """A setting that changes the transcript."""
    return _setting(default, help, transcript=True, **limits)


class Settings(BaseModel):
    """All settings; frozen, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # where things are
    database: str = _setting("sqlite:///data/callscore.db", "database, as an SQLAlchemy URL")
    rules: str = _setting("", "rules folder; empty: the rules that come with callscore")
    cache: str = _setting("", "folder for assembled models; empty: the user's cache folder")
    columns: dict[str, str] = _setting(
        {}, "metadata columns of your PBX export, theirs by ours: {call_id = '录音流水号'}"
    )
    time_zone: str = _setting("Asia/Shanghai", "time zone of the metadata's start_time")

    # recording
    max_duration_minutes: float = _setting(240.0, "longer recordings are quarantined", gt=0)
    min_duration_seconds: float = _setting(0.5, "shorter recordings are quarantined", ge=0)
    max_lost_percent: float = _setting(
        1.0, "recordings that lack more than this (damaged, cut off) are quarantined", ge=0, le=100
    )

    # voice activity
    vad_threshold: float = heard(0.35, "speech probability above which a frame is speech", gt=0, lt=1)
    vad_min_speech_ms: int = heard(120, "shorter bursts are not speech", ge=0)
    vad_min_silence_ms: int = heard(300, "shorter silences do not split speech", ge=0)
    vad_pad_ms: int = heard(200, "real audio that the recognizer gets around each piece of speech", ge=0)

    # recognition
    model: str = heard("base", "Whisper model: `base` (bundled), a hub name, or a CTranslate2 folder")
    device: Literal["cpu", "cuda", "auto"] = _setting("cpu", "where recognition runs")
    compute_type: str = heard("int8", "CTranslate2 arithmetic: int8 (cpu), float16 (cuda)")
    threads: int = _setting(0, "threads for recognition; 0: all cores", ge=0)
    batch_size: int = _setting(8, "30-second windows recognized together", ge=1)
    beam_size: int = heard(5, "beam width of the decoder", ge=1)
    prompt: str = heard("以下是普通话的句子。", "text the decoder starts from")
    max_tokens_per_second: float = heard(9.0, "bound on the decoder's output", gt=0)
    no_speech_threshold: float = heard(
        0.6, "no-speech probability above which a window is doubted", ge=0, le=1
    )
    logprob_threshold: float = heard(-1.0, "below this mean log-probability a window is doubted")
    compression_threshold: float = heard(2.4, "above this gzip ratio a window is doubted", gt=0)

    # roles
    role_threshold: float = _setting(
        0.7, "below this role confidence, items that depend on roles need review", ge=0, le=1
    )

    # rules
    match_confidence: float = _setting(
        0.5, "findings below this confidence are not present", ge=0, le=1
    )

    def transcript_digest(self) -> str:
        """Digest of the settings that change what is heard; part of the key of finished work."""
        names = [n for n, f in type(self).model_fields.items() if _changes_transcript(f)]
        values = json.dumps(self.model_dump(include=set(names)), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(values.encode()).hexdigest()[:16]


def _changes_transcript(field: Any) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("transcript"))


def load_settings(
    overrides: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    folder: Path = Path(),
) -> Settings:
    """Settings from file, environment and `overrides` (None values are skipped). Raises SettingsError."""
    path = Path(environ.get(f"{ENV_PREFIX}SETTINGS", folder / FILE_NAME))
    values = _from_file(path) if path.is_file() else {}
    values |= _from_environment(environ)
    values |= {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error), hint="`callscore settings` lists them all") from error


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as TOML: {error}") from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        raw = environ.get(ENV_PREFIX + name.upper())
        if raw is not None:
            values[name] = _decoded(name, raw)
    return values


def _decoded(name: str, raw: str) -> Any:
    if Settings.model_fields[name].annotation != dict[str, str]:
        return raw
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{ENV_PREFIX}{name.upper()}: expected a JSON object: {error}") from error


def _explain(error: ValidationError) -> str:
    faults = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"])
        found = "" if fault["type"] == "extra_forbidden" else f", found {fault['input']!r}"
        faults.append(f"setting {name}: {fault['msg']}{found}")
    return "; ".join(faults)
