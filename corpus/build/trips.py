"""Makes the small files whose bytes are documented to trip an edge: `trips.py OUT`, with the Python of requirements.txt.

Each is what its program writes for a plausible purpose; seeds are searched where the bytes come by chance.
"""

import io
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw
from reportlab import rl_config
from reportlab.lib.pagesizes import A5
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

DAY = (2024, 5, 24, 10, 0, 0)
# What a multipart parser takes for the start of a boundary, and what a path rule takes for the way up.
NEWLINE_DASHES, WAY_UP = re.compile(rb"\r?\n--"), re.compile(rb"\.\./")
# CRS 921110 reads it as the line of a request. The frames of an ID3 tag follow each other without white space.
VERB_LINE = re.compile(rb"track\s+(?:/|\w)\S*[\r\n]", re.I)
# A mail that was pasted into a text file; the line `-- ` stands before a signature.
MAIL = "道路相談の資料です。\n\n図面を送ります。ご確認ください。\n\n-- \n川崎 太郎(架空)\nかわさき設計事務所\n"
# The settings of a scan, as an image program leaves them in a JPEG comment. `script` is ISO 15924's word for it.
SCAN = b"<?xml version='1.0'?><scan dpi='300'><text lang='ja'><script>Jpan</script></text></scan>"
SURVEY = "調査予定表\n第1回 2024/06/03 10:00\n第2回 2024/??/?? 時刻未定\n"


def thumbnail(seed):
    """A JPEG of a grainy sky."""
    size = (56, 40)
    source = random.Random(seed)
    picture = Image.frombytes("RGB", size, source.randbytes(size[0] * size[1] * 3))
    sky = Image.new("RGB", size, (150, 190, 230))
    target = io.BytesIO()
    Image.blend(sky, picture, 0.4).save(target, "JPEG", quality=70)
    return target.getvalue()


def first(make, pattern):
    """What `make` gives for the first seed whose bytes hold the pattern."""
    return next(content for content in map(make, range(200_000)) if pattern.search(content))


def seal(**options):
    """A seal on paper, without grain: a plain JPEG small enough to be padded to any size."""
    picture = Image.new("RGB", (160, 160), (250, 248, 242))
    draw = ImageDraw.Draw(picture)
    draw.ellipse([20, 20, 140, 140], outline=(200, 30, 40), width=8)
    for left in (50, 76, 102):
        draw.line([(left, 44), (left, 116)], fill=(200, 30, 40), width=6)
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=60, **options)
    return target.getvalue()


def stored(name, content):
    """A ZIP that does not compress."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as book:
        book.writestr(zipfile.ZipInfo(name, DAY), content)
    return target.getvalue()


def measurements(seed):
    """A logger's file of 4 KiB that does not compress, in a ZIP."""
    return stored("20240524.bin", random.Random(seed).randbytes(4096))


def page(path, title):
    """An A5 page with a title, and no date."""
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    canvas = Canvas(str(path), pagesize=A5, invariant=1)
    canvas.setTitle(title)
    canvas.setFont("HeiseiKakuGo-W5", 14)
    canvas.drawString(48, 540, title)
    return canvas


def linked(path):
    """A list of drawings, its link led to the folder beside its own."""
    canvas = page(path, "図面目録")
    canvas.drawString(48, 500, "1. 平面図")
    canvas.linkURL("../zumen/heimenzu.pdf", (48, 494, 160, 516), relative=1)
    canvas.save()


def photoshop(path):
    """A PDF with a JPEG that has Photoshop's `Ducky` segment (APP12: quality 60), its bytes as they are."""
    ducky = b"Ducky" + bytes.fromhex("000100040000003c0000")
    picture = seal()
    picture = picture[:2] + b"\xff\xec" + (len(ducky) + 2).to_bytes(2, "big") + ducky + picture[2:]
    rl_config.useA85 = 0
    canvas = page(path, "印影")
    canvas.drawImage(ImageReader(io.BytesIO(picture)), 48, 360, 160, 160)
    canvas.save()


def recording(path):
    """A call recorded as `track 001`: the title's frame runs into the next one, `TRCK`."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-c:a", "libmp3lame",
         "-b:a", "16k", "-ac", "1", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact",
         "-metadata", "title=[track 001]", "-metadata", "track=001/0012", "-id3v2_version", "3", str(path)], check=True)


def main():
    out = Path(sys.argv[1])
    for folder in ["jpeg", "zip", "pdf", "mp3", "txt"]:
        (out / folder).mkdir(parents=True, exist_ok=True)
    (out / "txt/mail-signature-sjis.txt").write_bytes(MAIL.replace("\n", "\r\n").encode("cp932"))
    (out / "jpeg/seal.jpg").write_bytes(seal())
    (out / "jpeg/seal-comment.jpg").write_bytes(seal(comment=SCAN))
    (out / "jpeg/newline-dashes.jpg").write_bytes(first(thumbnail, NEWLINE_DASHES))
    (out / "jpeg/way-up.jpg").write_bytes(first(thumbnail, WAY_UP))
    (out / "zip/stored-newline-dashes.zip").write_bytes(first(measurements, NEWLINE_DASHES))
    (out / "zip/stored-open-date.zip").write_bytes(stored("schedule.txt", SURVEY.encode()))
    linked(out / "pdf/relative-link.pdf")
    photoshop(out / "pdf/photoshop-image.pdf")
    recording(out / "mp3/track-001.mp3")
    if not VERB_LINE.search((out / "mp3/track-001.mp3").read_bytes()):
        sys.exit("track-001.mp3: nothing reads like a request line")


main()
