"""Writes drawings, models and survey data: `drawings.py OUT`, with libraries that read and write the CAD formats."""

import sys
import uuid
from itertools import pairwise
from pathlib import Path

import ezdxf
import ezjww
import ezsxf
import gmsh
import ifcopenshell
import ifcopenshell.api.aggregate
import ifcopenshell.api.project
import ifcopenshell.api.root
import ifcopenshell.api.unit
import ifcopenshell.guid

LOT = [(0.0, 0.0), (12.0, 0.0), (12.0, 9.0), (0.0, 9.0)]
SIDES = list(zip(LOT, LOT[1:] + LOT[:1], strict=True))
# A closed lot of four points in plane rectangular system 9, in metres.
POINTS = [("K1", -52110.123, -11842.456), ("K2", -52110.123, -11830.456), ("K3", -52119.123, -11830.456),
          ("K4", -52119.123, -11842.456)]


def dxf(path, version, encoding, title):
    """A lot and its title, in one of the versions that clients' CAD programs still save."""
    ezdxf.options.write_fixed_meta_data_for_testing = True
    plan = ezdxf.new(version)
    plan.encoding = encoding
    plan.layers.add("敷地境界", color=1)
    space = plan.modelspace()
    for start, end in SIDES:
        space.add_line(start, end, dxfattribs={"layer": "敷地境界"})
    space.add_text(title, height=0.5).set_placement((1, -1))
    plan.saveas(path, encoding=encoding)


def jww(path):
    """A drainage plan of Jw_cad, on A3 in millimetres of paper."""
    plan = ezjww.new(paper_size=3, memo="給排水平面図 1/100\r\n")
    plan.options["layer_groups"][0]["name"] = "給排水"
    space = plan.modelspace()
    for start, end in SIDES:
        space.add_line(tuple(10 * way for way in start), tuple(10 * way for way in end), jwwattribs={"pen_color": 3})
    space.add_circle((20, 20), 2.5)
    space.add_text("汚水桝 φ200", (24, 20), (50, 20))
    plan.saveas(path)


def sxf(out):
    """One drawing in both forms of SXF, the exchange format of public works."""
    plan = ezsxf.new_sfc("plan.sfc", name="平面図", paper="A3", orientation="landscape")
    layer = plan.add_layer("敷地境界")
    for start, end in SIDES:
        plan.add_line(tuple(20 + 10 * way for way in start), tuple(20 + 10 * way for way in end), layer=layer)
    plan.add_text("開発区域 平面図 S=1:100", (20, 10), height=3.5)
    plan.save(str(out / "sfc/development-area.sfc"))
    plan.save_p21(str(out / "p21/development-area.p21"))


def jwc(path):
    """The signature and the empty blocks of a drawing of Jw_cad for DOS, whose binary form nobody but it writes."""
    path.write_bytes(b"jw_cad(c)data".ljust(22, b".") + b"f" + bytes(2421 - 23) + bytes(2304))


def solids(out):
    """A tank, as Open CASCADE writes it for other CAD programs."""
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    shapes = gmsh.model.occ
    body, lid = shapes.addBox(0, 0, 0, 1200, 800, 900), shapes.addCylinder(600, 400, 900, 0, 0, 120, 150)
    shapes.fuse([(3, body)], [(3, lid)])
    shapes.synchronize()
    gmsh.write(str(out / "step/oil-tank.step"))
    gmsh.write(str(out / "iges/oil-tank.igs"))
    gmsh.finalize()


def building(path):
    """The upper levels of a building model, without geometry."""
    model = ifcopenshell.api.project.create_file(version="IFC4")
    levels = [
        ifcopenshell.api.root.create_entity(model, ifc_class=kind, name=name) for kind, name in [
            ("IfcProject", "架空マンション"), ("IfcSite", "敷地"), ("IfcBuilding", "本棟"), ("IfcBuildingStorey", "1階"),
            ("IfcSpace", "管理員室"),
        ]
    ]
    ifcopenshell.api.unit.assign_unit(model)
    for whole, part in pairwise(levels):
        ifcopenshell.api.aggregate.assign_object(model, products=[part], relating_object=whole)
    for number, thing in enumerate(model.by_type("IfcRoot"), 1):
        thing.GlobalId = ifcopenshell.guid.compress(uuid.UUID(int=number).hex)
    model.header.file_name.name, model.header.file_name.time_stamp = "model.ifc", "2024-05-27T10:00:00+09:00"
    model.write(str(path))


def sima(path):
    """Coordinates and one lot in the common form of survey programs (SIMA), after its public description."""
    rows = ["G00,01,架空町測量,", "Z00,座標データ,", "A00,"]
    rows += [f"A01,{number},{name},{x:.3f},{y:.3f},0.000," for number, (name, x, y) in enumerate(POINTS, 1)]
    rows += ["A99,", "Z01,画地データ,", "D00,1,1番1,1,"]
    rows += [f"B01,{number},{name}," for number, (name, *_) in enumerate(POINTS, 1)]
    path.write_bytes("".join(row + "\r\n" for row in [*rows, "D99,"]).encode("cp932"))


def main():
    out = Path(sys.argv[1])
    for folder in ["dxf", "jww", "jwc", "sfc", "p21", "step", "iges", "ifc", "sim"]:
        (out / folder).mkdir(parents=True, exist_ok=True)
    dxf(out / "dxf/lot-r12.dxf", "R12", "cp932", "敷地求積図 表示単位 m")
    dxf(out / "dxf/lot-r2018.dxf", "R2018", "utf-8", "敷地求積図 𠮷田邸(架空)")
    jww(out / "jww/drainage.jww")
    jwc(out / "jwc/old-house.jwc")
    sxf(out)
    solids(out)
    building(out / "ifc/apartment.ifc")
    sima(out / "sim/lot.sim")


main()
