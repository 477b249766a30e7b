"""Writes a lot as AutoCAD's own file in an old and a new version: `dwg.py OUT`. Its .NET hangs on a frozen clock."""

import sys
from pathlib import Path

from acadsharp import native

LOT = [(0.0, 0.0), (12.0, 0.0), (12.0, 9.0), (0.0, 9.0)]


def dwg(path, version):
    """Four lines on a layer of their own, and a title."""
    cad = native.load()
    plan = cad.type("ACadSharp.CadDocument")()
    point, line = cad.type("CSMath.XYZ"), cad.type("ACadSharp.Entities.Line")
    plan.Header.CodePage = "ANSI_932"
    plan.Header.Version = getattr(cad.type("ACadSharp.ACadVersion"), version)
    layer = cad.type("ACadSharp.Tables.Layer")("敷地境界")
    plan.Layers.Add(layer)
    for start, end in zip(LOT, LOT[1:] + LOT[:1], strict=True):
        side = line(point(*start, 0.0), point(*end, 0.0))
        side.Layer = layer
        plan.Entities.Add(side)
    text = cad.type("ACadSharp.Entities.TextEntity")()
    text.Value, text.Height, text.InsertPoint = "敷地求積図", 0.5, point(1.0, -1.0, 0.0)
    plan.Entities.Add(text)
    cad.write(plan, path, format="dwg")
    cad.close()


def main():
    out = Path(sys.argv[1]) / "dwg"
    out.mkdir(parents=True, exist_ok=True)
    dwg(out / "lot-2000.dwg", "AC1015")
    dwg(out / "lot-2018.dwg", "AC1032")


main()
