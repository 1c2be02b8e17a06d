"""The Chinese font of the pages that stand alone."""

from base64 import b64encode
from io import BytesIO


def font_of(letters: str) -> str:
    """The letters of a page as a WOFF font, base64: the reader's machine need not know Chinese."""
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from pylopdf_fonts_zh_cn import sans_path

    options = subset.Options(flavor="woff", layout_features=["tnum", "kern"], notdef_outline=True)
    maker, buffer = subset.Subsetter(options), BytesIO()
    maker.populate(text=letters)
    with TTFont(str(sans_path()), recalcTimestamp=False) as font:
        maker.subset(font)
        subset.save_font(font, buffer, options)
    return b64encode(buffer.getvalue()).decode()
