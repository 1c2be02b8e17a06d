"""A case file as a zip: page, paper, clips, transcript, scorecard and rules as data, and a manifest of
digests that anybody can check."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.detect.load import digest_of
from pipeline.errors import NotFound
from pipeline.storage import mapping
from pipeline.storage.store import Store
from pipeline.units import clock
from pipeline.workflows.dispute.replay import call_of_the_day
from pipeline.workflows.evidence.case import CaseFile
from pipeline.workflows.evidence.page import page
from pipeline.workflows.evidence.paper import paper

MANIFEST = "manifest.json"
STAMP = (1980, 1, 1, 0, 0, 0)
"""Every entry has the same time, so that the same case gives the same bytes."""
READ_ME = """评分案卷 {name}

案卷.html      用浏览器打开：评分表、证据（可以听）、转写、经过、规则
案卷.pdf       同样的内容，用来打印
clips/         每条证据的录音片段，前后各多 3 秒
transcript.txt 转写，按轮
data/          评分、转写、通话、经过的原始数据（规范 JSON）
rules/         评分当天的全部规则和评分表
manifest.json  每个文件的 sha256

核对：callscore evidence --verify 这个文件.zip
没有 callscore 也能核对：data/scoring.json 的 sha256 就是评分摘要，其余文件对照 manifest.json。
"""


def bundle(case: CaseFile, store: Store) -> bytes:
    """The zip's bytes."""
    parts = _parts(case, store)
    parts[MANIFEST] = _json(_manifest(case, parts))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(_entry(name), body)
    return out.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _parts(case: CaseFile, store: Store) -> dict[str, bytes]:
    """Every file but the manifest, by name."""
    stored = case.replay.stored
    files = store.ruleset_files(stored.ruleset_digest)
    parts = {
        "说明.txt": READ_ME.format(name=case.name).encode(),
        "案卷.html": page(case, lambda clip: clip.name).encode(),
        "案卷.pdf": paper(case),
        "transcript.txt": _transcript(case).encode(),
        "data/scoring.json": mapping.canonical(store.scoring_body(stored.scorecard_id)),
        "data/transcript.json": mapping.canonical(mapping.transcript_to_plain(stored.transcript)),
        "data/recording.json": mapping.canonical(
            mapping.recording_to_plain(call_of_the_day(stored).recording)
        ),
        "data/history.json": _json(_history(case)),
    }
    parts |= {clip.name: clip.wav for clip in case.clips}
    return parts | {f"rules/{path}": text.encode() for path, text in sorted(files.items())}


def _manifest(case: CaseFile, parts: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "case": case.name,
        "made_at": case.made_at.isoformat(),
        "scoring_sha256": case.replay.stored.body_sha256,
        "ruleset_digest": case.replay.stored.ruleset_digest,
        "recording_sha256": case.recording.sha256,
        "replay": case.replay.agreement.value,
        "versions": dict(case.versions),
        "files": {name: hashlib.sha256(body).hexdigest() for name, body in parts.items()},
    }


def _history(case: CaseFile) -> list[dict[str, str]]:
    return [
        {
            "at": event.at.isoformat(),
            "what": event.what,
            "who": event.who,
            "told": event.told,
            "points": event.points,
            "scoring_sha256": event.sha256,
            "ruleset_digest": event.ruleset_digest,
        }
        for event in case.events
    ]


def _transcript(case: CaseFile) -> str:
    told = (
        f"{clock(x.start)} {x.who} {x.text}" if x.who else f"{clock(x.start)} 〔{x.text}〕"
        for x in case.lines
    )
    return "\n".join(told) + "\n"


def _json(plain: Any) -> bytes:
    return json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What checking a bundle found. `number` is the manifest's own sha256, printed when the case was made;
    `faults` is empty for a bundle that nobody touched."""

    case: str
    number: str
    files: int
    faults: tuple[str, ...]


def number_of(body: bytes) -> str:
    """The number of a case: the sha256 of its manifest."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return hashlib.sha256(archive.read(MANIFEST)).hexdigest()


def verify(path: Path) -> Checked:
    """Hold every file of a bundle against the manifest, and scoring and rules against their own digests.

    Raises NotFound: there is no such file, or it is not a case in a zip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(parts.pop(MANIFEST))
        return _checked(manifest, parts, _json(manifest))
    except FileNotFoundError as error:
        raise NotFound(f"没有文件 {path}", hint="检查路径") from error
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise NotFound(
            f"{path} 不是完整的评分案卷", hint="要核对的是 callscore evidence -o 文件.zip 做出的文件"
        ) from error


def _checked(manifest: Mapping[str, Any], parts: Mapping[str, bytes], text: bytes) -> Checked:
    listed: Mapping[str, str] = manifest["files"]
    found = {name: hashlib.sha256(body).hexdigest() for name, body in parts.items()}
    faults = [f"{name}：少了这个文件" for name in listed if name not in found]
    faults += [f"{name}：案卷里本来没有这个文件" for name in found if name not in listed]
    faults += [f"{name}：内容改过" for name, sha in found.items() if listed.get(name, sha) != sha]
    if found.get("data/scoring.json") != manifest["scoring_sha256"]:
        faults.append("data/scoring.json：与评分摘要不符")
    rules = {
        name.removeprefix("rules/"): body.decode() for name, body in parts.items() if name[:6] == "rules/"
    }
    if digest_of(rules) != manifest["ruleset_digest"]:
        faults.append("rules/：与规则集的摘要不符")
    return Checked(
        case=manifest["case"],
        number=hashlib.sha256(text).hexdigest(),
        files=len(listed),
        faults=tuple(faults),
    )
