#!/usr/bin/env python3
"""Renders the formulas of formulas.json to one SVG each, and writes index.json.

A development-time tool: its results are committed, the program and its tests need no Python. Usage:

    python3 -m venv ~/venv && ~/venv/bin/pip install ziamath
    ~/venv/bin/python assets/formulas/render.py

QtSvg 6.4 draws only simple SVG, so a formula becomes one path in absolute coordinates: no nested <svg>, no
<use>, no CSS. fill="currentColor" is the place where the program puts the palette's text colour. index.json
holds, for an em of 20 px: width and height of the picture, depth (its part below the baseline), and the TeX
and the spoken form it was made from.
"""

import json
import pathlib
import re
import xml.etree.ElementTree as ElementTree

import ziamath

EM = 20  # px
here = pathlib.Path(__file__).resolve().parent
ziamath.config.svg2 = False  # glyphs as paths where they stand, no <symbol>
ziamath.config.precision = 2


def typeset(tex):
    """Spacing and shapes that TeX gives by itself and ziamath does not."""
    tex = re.sub(r"\\nabla_\{?(\\?\w+(?:\{\w\}|_\w)?)\}?", r"\\nabla_{\\!\1}", tex)
    tex = re.sub(r"\\phi\b", r"{\\mathit{\\phi}}", tex)
    tex = re.sub(r"(^|[=&(\[])(\s*)-", r"\1\2{-}", tex)  # a sign, not a difference
    tex = re.sub(r"(?<!\\),(?=\s+(?!\\q))", r"{,}\\,", tex)
    tex = re.sub(r"\\partial ", r"\\partial\\!", tex)
    tex = re.sub(r"\\sim\b", r"\\,\\sim\\,", tex)
    return re.sub(r"\\log (?=[\w\\])(?!\\frac)", r"\\log\\,", tex)


def rectangle(element):
    x, y, w, h = (float(element.get(key, 0)) for key in ("x", "y", "width", "height"))
    return f"M{x:.2f} {y:.2f}H{x + w:.2f}V{y + h:.2f}H{x:.2f}Z"


def shapes(element):
    """Path data of all shapes below an element; refuses what it does not know."""
    for child in element:
        tag = child.tag.split("}")[-1]
        if child.get("transform") is not None:
            raise SystemExit(f"render: expected absolute coordinates, found a transform on <{tag}>")
        if tag == "g":
            yield from shapes(child)
        elif tag == "path":
            yield child.get("d")
        elif tag == "rect":
            yield rectangle(child)
        else:
            raise SystemExit(f"render: expected <g>, <path> or <rect>, found <{tag}>")


def flatten(svg):
    """The whole picture as the data of one path."""
    data = " ".join(shapes(ElementTree.fromstring(svg)))
    data = re.sub(r"M (\S+ \S+) L \1(?= )", r"M \1", data)  # ziamath begins each contour twice
    data = re.sub(r"\s+", " ", data)
    return re.sub(r"\s*([MLQCHVZ])\s*", r"\1", data).strip()


def extent(data):
    """Box around all points of the path, control points included."""
    xs, ys = [], []
    for command, numbers in re.findall(r"([MLQCHVZ])([^MLQCHVZ]*)", data):
        values = [float(n) for n in numbers.split()]
        if command == "H":
            xs += values
        elif command == "V":
            ys += values
        else:
            xs += values[0::2]
            ys += values[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def render(name, tex):
    picture = ziamath.Latex(typeset(tex), size=EM, inline=False).svg()
    data = flatten(picture)
    # The baseline is y = 0. Half a pixel of air keeps antialiased edges inside the picture.
    x0, y0, x1, y1 = extent(data)
    left, right = x0 - 0.5, x1 + 0.5
    top, bottom = y0 - 0.5, max(y1 + 0.5, 0)
    width, height = right - left, bottom - top
    (here / f"{name}.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.2f}" height="{height:.2f}" '
        f'viewBox="{left:.2f} {top:.2f} {width:.2f} {height:.2f}">'
        f'<path fill="currentColor" d="{data}"/></svg>\n')
    return {"width": round(width, 2), "height": round(height, 2), "depth": round(bottom, 2)}


def main():
    formulas = json.loads((here / "formulas.json").read_text())
    for stale in set(p.stem for p in here.glob("*.svg")) - set(formulas):
        (here / f"{stale}.svg").unlink()
    index = {name: render(name, f["tex"]) | f for name, f in formulas.items()}
    (here / "index.json").write_text(json.dumps({"em": EM, "formulas": index}, indent=1, sort_keys=True) + "\n")
    print(f"{len(index)} formulas")


if __name__ == "__main__":
    main()
