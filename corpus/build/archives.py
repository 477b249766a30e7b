"""Packs files as other systems do: `archives.py OUT`, after build.sh has made the files that go in."""

import io
import plistlib
import struct
import sys
import unicodedata
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import rars
from ds_store import DSStore

DAY = (2024, 5, 24, 10, 0, 0)
# RAR 4 counts as DOS did, RAR 5 in seconds since 1970.
DOS_TIME = (DAY[0] - 1980) << 25 | DAY[1] << 21 | DAY[2] << 16 | DAY[3] << 11
UNIX_TIME = int(datetime(*DAY, tzinfo=timezone(timedelta(hours=9))).timestamp())
ENTRY_OF_FINDER, ENTRY_OF_RESOURCES = 9, 2


def packed(members):
    """A ZIP of Python's own writer, of (name, content)."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in members:
            book.writestr(zipfile.ZipInfo(name, DAY), content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def nested(photo):
    """A ZIP in a ZIP in a ZIP, as one firm packs what another firm packed."""
    inner = packed([("写真/外壁.jpg", photo), ("写真/メモ.txt", "外壁 北面\r\n".encode("cp932"))])
    return packed([("一式.zip", packed([("協力会社から.zip", inner), ("送付状.txt", "送付します。\r\n".encode())]))])


def records():
    """320 small files: one for each measurement of a pool."""
    rows = [(f"計測記録/{number:03}.csv", f"回,水温,残留塩素\r\n{number},{24 + number % 5},0.{4 + number % 6}\r\n")
            for number in range(1, 321)]
    return packed([(name, text.encode("cp932")) for name, text in rows])


def apple_double(finder=bytes(32), resources=b""):
    """What macOS lays beside a file on a foreign disk: Finder's information and the resource fork (AppleDouble 2)."""
    parts = [(ENTRY_OF_FINDER, finder), (ENTRY_OF_RESOURCES, resources)]
    at = 26 + 12 * len(parts)
    table, body = b"", b""
    for kind, content in parts:
        table += struct.pack(">III", kind, at + len(body), len(content))
        body += content
    return struct.pack(">II16sH", 0x00051607, 0x00020000, b"Mac OS X        ", len(parts)) + table + body


def finder(folder, photo):
    """The folder that macOS's Finder compresses: decomposed names, its own settings, and the shadows of each file."""
    name = unicodedata.normalize("NFD", "プール点検")
    inside, shadow = folder / name, folder / "__MACOSX" / name
    inside.mkdir(parents=True)
    shadow.mkdir(parents=True)
    for title in ["ポンプ室.jpg", "排水口.jpg"]:
        leaf = unicodedata.normalize("NFD", title)
        (inside / leaf).write_bytes(photo)
        (shadow / f"._{leaf}").write_bytes(apple_double(b"JPEGprvw" + bytes(24)))
    with DSStore.open(str(inside / ".DS_Store"), "w+") as settings:
        settings[unicodedata.normalize("NFD", "ポンプ室.jpg")]["Iloc"] = (120, 80)
        settings["."]["vSrn"] = ("long", 1)
    (shadow / "._.DS_Store").write_bytes(apple_double())


def rar(path, version, moment, members):
    builder = rars.RarBuilder(format=version)
    for name, content in members:
        builder.add_bytes(content, name, mtime=moment)
    path.write_bytes(builder.to_bytes())


def main():
    out = Path(sys.argv[1])
    for folder in ["zip", "rar", "appledouble", "url", "webloc"]:
        (out / folder).mkdir(parents=True, exist_ok=True)
    photo = (out / "tmp/pool-2.jpg").read_bytes()
    (out / "zip/nested.zip").write_bytes(nested(photo))
    (out / "zip/records-320.zip").write_bytes(records())
    finder(out / "tmp/mac", photo)
    papers = [("届出書/位置図.jpg", photo), ("届出書/数量表.csv", "品名,数量 L\r\n灯油,900\r\n".encode("cp932"))]
    rar(out / "rar/notice-4.rar", rars.RAR29, DOS_TIME, papers)
    rar(out / "rar/notice-5.rar", rars.RAR50, UNIX_TIME, papers)
    (out / "appledouble/photo.appledouble").write_bytes(apple_double(b"JPEGprvw" + bytes(24)))
    # Shortcuts that people attach in place of the file, as Windows and macOS keep them
    (out / "url/shop-page.url").write_bytes(
        b"[{000214A0-0000-0000-C000-000000000046}]\r\nProp3=19,11\r\n[InternetShortcut]\r\nIDList=\r\n"
        b"URL=https://shop.example/item?id=1&campaign=spring\r\n")
    (out / "webloc/map-link.webloc").write_bytes(plistlib.dumps({"URL": "https://map.example/?ll=35.5309,139.7030"}))


main()
