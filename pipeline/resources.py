"""Where the shipped rules and models lie: in the checkout, or inside the installed package."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def _shipped(name: str) -> Path:
    inside = _PACKAGE / "_shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def shipped_rules() -> Path:
    """Folder of the default rules."""
    return _shipped("rules")


def shipped_models() -> Path:
    """Folder of models/manifest.toml and the bundled ONNX models."""
    return _shipped("models")
