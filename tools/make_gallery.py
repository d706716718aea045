"""Draw the pictures of docs/gallery.md by running the code on the page.

Every block of Python runs in order; a picture that follows a block is the figure it made::

    python tools/make_gallery.py [docs/gallery.md]
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
from PIL import Image

from facemt_analysis.plotting import paper

DPI = 150
MOST_BYTES = 60_000
PARTS = re.compile(
    r"^```python\n(?P<code>.*?)^```$|^!\[[^\]]*\]\((?P<picture>[^)]+)\)$", re.M | re.S
)


def small_png(figure: plt.Figure) -> bytes:
    """Save with a palette, of fewer colours where that is needed to stay small."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=DPI)
    with Image.open(raw) as image:
        rgb = image.convert("RGB")
    for colours in (256, 128, 64, 32):
        packed = io.BytesIO()
        rgb.quantize(colours, dither=Image.Dither.NONE).save(packed, format="PNG", optimize=True)
        if packed.tell() <= MOST_BYTES:
            break
    return packed.getvalue()


def main(page: Path) -> None:
    """Run the page."""
    names: dict[str, object] = {}
    text = page.read_text(encoding="utf-8")
    home = page.parent.resolve()
    with tempfile.TemporaryDirectory() as scratch, paper("single"):
        os.chdir(scratch)  # examples save files
        for part in PARTS.finditer(text):
            if part["code"]:
                plt.close("all")
                exec(compile(part["code"], page.name, "exec"), names)
                continue
            png = small_png(plt.gcf())
            if len(png) > MOST_BYTES:
                sys.exit(f"error: {part['picture']} has {len(png):,} bytes; draw less.")
            path = home / part["picture"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png)
            print(f"{part['picture']}: {len(png):,} bytes")
        os.chdir(home)
    plt.close("all")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/gallery.md"))
