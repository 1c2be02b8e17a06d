"""The one table of settings: name with unit, default, help.

A setting comes from, last wins: the default here, `callscore.toml` in the current folder (or the file
named by CALLSCORE_SETTINGS), an environment variable `CALLSCORE_<NAME>`, a command-line option.
"""

import difflib
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from pipeline.errors import SettingsError
from pipeline.wanted import wanted

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
ENV_PREFIX = "CALLSCORE_"
FILE_NAME = "callscore.toml"
NO_SETTINGS = ("SETTINGS", "TEST_POSTGRES")
"""Variables with the prefix that are not settings: where the file is, and the server of the tests."""


def _setting(
    default: Any, help: str, *, transcript: bool = False, scores: bool = False, **limits: Any
) -> Any:
    """A table row. `transcript=True`: the setting changes what is heard, so it is part of the work's key;
    `scores=True`: it changes what is made of the same transcript, so it is kept with every scoring."""
    extra: dict[str, Any] = {"transcript": transcript, "scores": scores}
    return Field(default, description=help, json_schema_extra=extra, **limits)


def heard(default: Any, help: str, **limits: Any) -> Any:
    """A setting that changes the transcript."""
    return _setting(default, help, transcript=True, **limits)


def scoring(default: Any, help: str, **limits: Any) -> Any:
    """A setting that changes what a transcript scores."""
    return _setting(default, help, scores=True, **limits)


class Settings(BaseModel):
    """All settings; frozen, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # where things are
    database: str = _setting("sqlite:///data/callscore.db", "数据库（SQLAlchemy URL）")
    rules: str = _setting("", "规则文件夹；空：随产品附带的规则")
    cache: str = _setting("", "存放模型和播放用录音的文件夹；空：用户的缓存文件夹")
    playback_cache_gb: float = _setting(5.0, "转成浏览器能放的录音，缓存里最多留多少（GB）", gt=0)
    columns: dict[str, str] = _setting({}, "话单的列名对应，左边是这里的列名：{call_id = '录音流水号'}")
    time_zone: str = scoring("Asia/Shanghai", "话单里 start_time 的时区")
    roster: str = _setting("", "坐席名册 CSV，列：agent_id、team（班组）、since（上岗日期）；空：没有名册")
    ticket_columns: dict[str, str] = _setting(
        {}, "工单导出的列名对应，左边是这里的列名：{ticket_id = '流水号'}"
    )
    shifts: str = _setting("", "各班开始的时刻，用空格分开，如 08:00 16:00 00:00；空：需要班次的环节不判断")

    # people
    reviewer: str = _setting("", "质检员的名字：复核和答复申诉时的署名；盲复核时不给看别人的决定")
    claim_minutes: float = _setting(30.0, "领了电话又不动，多少分钟后别人可以领", gt=0)
    assignment: dict[str, str] = _setting(
        {},
        "派单的规则，左边是条件，右边是质检员，先写的先用："
        "{'business=话费查询' = '王敏 李强', 'team=一班' = '赵云', '*' = '王敏'}",
    )
    appeal_days: int = _setting(7, "评定之后、答复之后，多少天内可以申诉；模板里写了的以模板为准", ge=0)
    reviewer_names: bool = _setting(False, "坐席看自己的评分表和申诉时，写不写是谁评的；否：只写质检员、主管")

    # accounts
    audit_key: str = _setting(
        "",
        "审计日志的密钥文件，第一次用到时生成；空：数据库旁边，如 callscore.db.audit.key",
    )
    session_idle_minutes: float = _setting(60, "登录之后多久没有动作就退出（分钟）", gt=0)
    session_hours: float = _setting(12, "登录之后最多多久，到时一律退出（小时）", gt=0)
    login_tries: int = _setting(5, "一个登录名连错几次之后，每错一次等待加倍", ge=1)
    address_tries: int = _setting(30, "一个网络地址连错几次之后，每错一次等待加倍", ge=1)
    login_wait_minutes: float = _setting(15, "登录连错之后最长等多久（分钟）", gt=0)

    # recording
    max_duration_minutes: float = _setting(240.0, "更长的录音隔离（分钟）", gt=0)
    min_duration_seconds: float = _setting(0.5, "更短的录音隔离（秒）", ge=0)
    max_lost_percent: float = _setting(1.0, "损坏或截断的部分超过这个百分比的录音隔离", ge=0, le=100)

    # the night
    readers: int = _setting(2, "几个子进程解码；0：在主进程里解码，不限时间和内存", ge=0)
    prepare_minutes: float = _setting(20.0, "解码一个录音最多用多久（分钟）；小文件更短", gt=0)
    prepare_memory_gb: float = _setting(8.0, "解码一个录音最多用多少内存（GB）", gt=0)
    workers: Annotated[int, Field(ge=0)] | Literal["auto"] = _setting(
        1, "几个子进程识别；auto：每块显卡一个，CPU 按核数；0：在主进程里识别，崩溃会连累整夜"
    )
    recognize_minutes: float = _setting(15.0, "识别进程多久没有动静算卡死（分钟）", gt=0)
    lease_minutes: float = _setting(5.0, "认领的录音多久没有动静，别的机器可以接手（分钟）", gt=0)
    database_wait_minutes: float = _setting(5.0, "数据库锁住、连不上时最多等多久（分钟）", ge=0)
    folder_wait_minutes: float = _setting(10.0, "录音文件夹多久没有回应就停下（分钟）", gt=0)
    log: str = _setting("", "夜里的日志文件，一行一个 JSON，只有编号和时间，没有原话；空：不写")

    # voice activity
    vad_threshold: float = heard(0.35, "语音概率高于它算有人说话", gt=0, lt=1)
    vad_min_speech_ms: int = heard(120, "更短的不算说话（毫秒）", ge=0)
    vad_min_silence_ms: int = heard(300, "更短的静音不断开（毫秒）", ge=0)
    vad_pad_ms: int = heard(200, "识别时每段语音前后各多给的真实录音（毫秒）", ge=0)

    # recognition
    model: str = heard("base", "Whisper 模型：base（随附）、网上的名称，或 CTranslate2 文件夹")
    device: Literal["cpu", "cuda", "auto"] = _setting("cpu", "识别用的设备")
    compute_type: str = heard("int8", "CTranslate2 的运算类型：int8（CPU）、float16（cuda）")
    threads: int = _setting(0, "识别用的线程数；0：全部核", ge=0)
    batch_size: int = _setting(4, "一批最多识别几个窗口；CPU 上再多也不更快，显卡上设 16 以上", ge=1)
    beam_size: int = heard(5, "解码束宽", ge=1)
    prompt: str = heard(
        "以下是普通话的句子。",
        "解码的起始提示；先不带它解码，没把握的窗口再带上它解码一次，取概率高的；空：不再解码",
    )
    max_tokens_per_second: float = heard(9.0, "每秒语音最多几个词元", gt=0)
    no_speech_threshold: float = heard(0.6, "无语音概率高于它的窗口存疑", ge=0, le=1)
    logprob_threshold: float = heard(-1.0, "平均对数概率低于它的窗口存疑")
    compression_threshold: float = heard(2.4, "压缩比高于它的窗口存疑", gt=0)

    # roles
    role_threshold: float = scoring(0.7, "角色把握低于它时，依赖角色的项目待复核", ge=0, le=1)

    # rules
    sentence_model: str = _setting("", "句子向量模型：空：随附的；或含 model.onnx 和 tokenizer.json 的文件夹")
    match_confidence: float = scoring(0.5, "把握低于它的不算找到", ge=0, le=1)

    @field_validator("shifts")
    @classmethod
    def _are_times(cls, text: str) -> str:
        if not all(_CLOCK.fullmatch(part) for part in text.split()):
            raise ValueError("各班开始的时刻，如 08:00 16:00 00:00")
        return text

    @property
    def shift_starts(self) -> tuple[time, ...]:
        """When shifts begin, in order of the clock."""
        return tuple(sorted({time.fromisoformat(part) for part in self.shifts.split()}))

    def transcript_digest(self) -> str:
        """Digest of the settings that change what is heard; part of the key of finished work."""
        values = json.dumps(self.of_hearing(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(values.encode()).hexdigest()[:16]

    def of_hearing(self) -> dict[str, Any]:
        """The settings that change what is heard, by name."""
        return self._marked("transcript")

    def of_scoring(self) -> dict[str, float | str]:
        """The settings that change what a transcript scores, by name."""
        return self._marked("scores")

    def _marked(self, mark: str) -> dict[str, Any]:
        names = {n for n, f in type(self).model_fields.items() if _is_marked(f, mark)}
        return self.model_dump(include=names)


def _is_marked(field: Any, mark: str) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get(mark))


HINT = "callscore settings 列出全部设置和默认值"


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
        raise SettingsError(_explain(error), hint=HINT) from error


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path}：读不懂，应为 TOML：{error}", hint="文字要加引号，如 rules = 'rules'"
        ) from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {ENV_PREFIX + name.upper(): name for name in Settings.model_fields}
    ours = {name: raw for name, raw in environ.items() if name.startswith(ENV_PREFIX)}
    strange = ours.keys() - known.keys() - {ENV_PREFIX + name for name in NO_SETTINGS}
    if strange:
        raise SettingsError("；".join(_unknown(name, known) for name in sorted(strange)), hint=HINT)
    return {known[name]: _decoded(known[name], raw) for name, raw in ours.items() if name in known}


def _decoded(name: str, raw: str) -> Any:
    if Settings.model_fields[name].annotation != dict[str, str]:
        return raw
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        raise SettingsError(
            f"{ENV_PREFIX}{name.upper()}：发现“{raw}”，应为 JSON 对象",
            hint="""例：'{"call_id": "录音流水号"}'""",
        ) from error


def _explain(error: ValidationError) -> str:
    by_name: dict[str, list[ErrorDetails]] = {}
    for fault in error.errors():
        by_name.setdefault(str(fault["loc"][0]), []).append(fault)
    return "；".join(_told(name, faults) for name, faults in by_name.items())


def _told(name: str, faults: Sequence[ErrorDetails]) -> str:
    if faults[0]["type"] == "extra_forbidden":
        return _unknown(name, Settings.model_fields)
    expected = "，或".join(wanted(fault) for fault in faults)
    return f"设置 {name}：发现 {faults[0]['input']!r}，应为{expected}"


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known)
    return f"没有设置 {name}" + (f"，相近的：{'、'.join(near)}" if near else "")
