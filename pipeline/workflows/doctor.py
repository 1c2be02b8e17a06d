"""The checks of `callscore doctor`, each a function of the settings."""

import importlib
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pipeline.detect.cases import run_cases
from pipeline.detect.lint import Level, lint
from pipeline.errors import CallscoreError
from pipeline.media.places import place
from pipeline.settings import Settings
from pipeline.speech.weights import cache_folder, manifest, model_files, verify
from pipeline.storage.database import without_password
from pipeline.storage.records import CallFilter
from pipeline.storage.store import Store
from pipeline.workflows.check_rules import prepared
from pipeline.workflows.rules import load_rules, rules_folder

LEAST_FREE_BYTES = 2_000_000_000
MOST_LOOKED_FOR, MOST_NAMED = 1_000, 3
"""Recordings of which the files are looked for, and that are named where they are gone."""
PACKAGES = (
    "av",
    "ctranslate2",
    "faster_whisper",
    "onnxruntime",
    "jieba",
    "opencc",
    "pypinyin",
    "rapidfuzz",
    "pydub",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one check went. `remedy` says what to do when it is not fit."""

    fit: bool
    told: str
    remedy: str = ""


def python_version(_: Settings) -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding(fit=sys.version_info >= (3, 11), told=found, remedy="")


def packages(_: Settings) -> Finding:
    """Every compiled dependency can be imported."""
    broken = []
    for name in PACKAGES:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydub misses an ffmpeg that nothing here needs
                importlib.import_module(name)
        except (ImportError, OSError) as error:
            broken.append(f"{name}（{error}）")
    if broken:
        return Finding(fit=False, told="装不上：" + "、".join(broken), remedy="重新 make demo，或重装依赖")
    return Finding(fit=True, told=f"{len(PACKAGES)} 个都能载入")


def speech_model(settings: Settings) -> Finding:
    return _guarded(lambda: f"{model_files(settings).name}，{model_files(settings).folder}")


def bundled_models(settings: Settings) -> Finding:
    """The hash of every file of every model in the manifest."""

    def check() -> str:
        for item in manifest():
            verify(item.name, settings)
        return "、".join(item.name for item in manifest()) + " 哈希相符"

    return _guarded(check)


def rules(settings: Settings) -> Finding:
    """All rules load, and every case of every rule holds."""

    def check() -> str:
        ruleset = load_rules(settings)
        notices = lint(rules_folder(settings), date.today())
        errors = [str(notice) for notice in notices if notice.level is Level.ERROR]
        faults = [*errors, *map(str, run_cases(*prepared(settings, ruleset)))]
        if faults:
            raise CallscoreError("\n".join(faults), hint="修改规则或用例")
        cases = sum(len(rule.cases) for rule in ruleset.rules)
        return f"{len(ruleset.rules)} 条规则、{cases} 个用例、{len(ruleset.templates)} 张评分表，全部通过"

    return _guarded(check)


def database(settings: Settings) -> Finding:
    def check() -> str:
        with Store.open(settings.database) as store:
            counts, is_writable = store.counts(), store.is_writable
        kept = f"{counts['recordings']} 通录音，{counts['quarantined']} 个隔离"
        told = f"{without_password(settings.database)}，{kept}"
        if not is_writable:
            raise CallscoreError(f"{told}；只能读", hint="能看，不能跑夜、复核；要写就改文件和文件夹的权限")
        return told

    return _guarded(check)


def recordings(settings: Settings) -> Finding:
    """Whether the files of the newest calls are where the database says: what is gone cannot be played."""

    def check() -> str:
        paths = _newest_paths(settings)
        gone = [path for path in paths if not place(path).is_file()]
        if gone:
            listed = "、".join(gone[:MOST_NAMED])
            raise CallscoreError(
                f"最近一周的 {len(paths)} 通里，{len(gone)} 通的录音不在：{listed}",
                hint="把录音放回原处；callscore reconcile 文件夹 逐个核对",
            )
        return f"最近一周的 {len(paths)} 通，录音都在原处"

    return _guarded(check)


def _newest_paths(settings: Settings) -> list[str]:
    with Store.open(settings.database) as store:
        span = store.span_of_calls()
        if span is None:
            return []
        which = CallFilter(since=span[1] - timedelta(days=7), limit=MOST_LOOKED_FOR)
        return [summary.recording.path for summary in store.calls(which)]


def disk(settings: Settings) -> Finding:
    """Room where models and the default database lie."""
    folder = cache_folder(settings)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = min(shutil.disk_usage(folder).free, shutil.disk_usage(Path()).free)
    told = f"剩余 {free / 1e9:.1f} GB"
    remedy = "" if free >= LEAST_FREE_BYTES else "清理磁盘，至少留 2 GB"
    return Finding(fit=free >= LEAST_FREE_BYTES, told=told, remedy=remedy)


def processor(settings: Settings) -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if settings.device == "cuda":
        import ctranslate2

        count = ctranslate2.get_cuda_device_count()
        remedy = "" if count else "装好显卡驱动和 CUDA，或把设置 device 改成 cpu"
        return Finding(fit=count > 0, told=f"{count} 块 CUDA 显卡", remedy=remedy)
    return Finding(fit=True, told=f"{cores} 核，识别用 CPU（{settings.compute_type}）")


def _guarded(check: Callable[[], str]) -> Finding:
    try:
        return Finding(fit=True, told=check())
    except CallscoreError as error:
        return Finding(fit=False, told=error.message, remedy=error.hint or "见上")


CHECKS: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
    ("Python", python_version),
    ("依赖", packages),
    ("处理器", processor),
    ("语音模型", speech_model),
    ("模型文件", bundled_models),
    ("规则", rules),
    ("数据库", database),
    ("录音", recordings),
    ("磁盘", disk),
)
