"""Write the table of docs/au_basis.md and draw its figure from the definitions in the code.

::

    python tools/make_au_basis_docs.py docs
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from facemt_analysis import schema
from facemt_analysis.simulate import AU_SPECS, AUS, Framing, au_vector, avatar_asset, render
from facemt_analysis.simulate.renderer import posed_mesh

SIZE, COLUMNS, TITLE = 216, 7, 18
SCALE = 1.22
START, END = "<!-- table: start -->", "<!-- table: end -->"


def tile(name: str) -> np.ndarray:
    """Draw one face; arrows show where the mesh goes (on the picture's right half)."""
    face = avatar_asset()
    aus = au_vector() if name == "neutral" else au_vector(**{name: 1.0})
    # The framing follows the mesh; undo that, so that place and scale are those at rest.
    rest_y, drawn_y = (posed_mesh(face.neutral, a, a, (0.0, 0.0))[:, 1] for a in (au_vector(), aus))
    rest_height, height = np.ptp(rest_y), np.ptp(drawn_y)
    rise = (drawn_y.max() + drawn_y.min() - rest_y.max() - rest_y.min()) / 2
    framing = Framing(SCALE * rest_height / height, -rise / (SCALE * rest_height))
    rest = render(face, size=SIZE, framing=Framing(SCALE, 0.0), distance=1e6)
    drawn = render(face, aus=aus, size=SIZE, framing=framing, distance=1e6)
    image, moved = drawn.image.copy(), drawn.mesh[:, :2]
    for v in range(468):
        start, end = rest.mesh[v, :2], moved[v]
        if start[0] < SIZE / 2 + 1 or np.linalg.norm(end - start) < 2.0:
            continue
        p, q = (tuple(np.round(x * 16).astype(int).tolist()) for x in (start, end))
        cv2.line(image, p, q, (30, 40, 130), 1, cv2.LINE_AA, 4)
        cv2.circle(image, q, 20, (30, 40, 130), -1, cv2.LINE_AA, 4)
    strip = np.full((TITLE, SIZE, 3), 255, np.uint8)
    text = "at rest" if name == "neutral" else f"{name} {schema.ACTION_UNITS[name].name}"
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(strip, text, (4, 13), font, 0.42, (20, 20, 20), 1, cv2.LINE_AA)
    return np.vstack([strip, image])


def table() -> str:
    """Write every definition as a row of a Markdown table."""
    rows = ["| AU | the manual says | where → lateral, up, forward (reach) | lids, lips, jaw |",
            "|---|---|---|---|"]  # fmt: skip
    for name, spec in AU_SPECS.items():
        pulls = [
            f"{', '.join(map(str, p.vertices))} → {', '.join(f'{x:+g}' for x in p.vector)} "
            f"({p.reach:g})"
            for p in spec.pulls
        ]
        parts = [
            f"upper lid {spec.upper_lid:+g}" if spec.upper_lid else "",
            f"lower lid {spec.lower_lid:+g}" if spec.lower_lid else "",
            f"red of upper, lower lip −{spec.lip_roll[0]:g}, −{spec.lip_roll[1]:g}"
            if any(spec.lip_roll) else "",
            f"lips back {spec.lip_in:g}" if spec.lip_in else "",
            f"mouth shut by {spec.lip_seal:g}" if spec.lip_seal else "",
            f"jaw {spec.jaw:g}°" if spec.jaw else "",
        ]  # fmt: skip
        title = f"**{name}** {schema.ACTION_UNITS[name].name}"
        cells = (title, spec.source, "<br>".join(pulls), "<br>".join(p for p in parts if p))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main() -> None:
    docs = Path(sys.argv[1])
    tiles = [tile(name) for name in ("neutral", *AUS)]
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    (docs / "figures").mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.vstack(rows)).quantize(160, dither=Image.Dither.NONE)
    picture.save(docs / "figures" / "au_basis.png", optimize=True)
    page = docs / "au_basis.md"
    before, rest = page.read_text().split(START)
    page.write_text(f"{before}{START}\n{table()}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
