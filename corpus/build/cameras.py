"""Writes what cameras, scanners and design programs leave: `cameras.py OUT`. The drawings are those of images.py."""

import io
import random
import struct
import sys
from pathlib import Path

import numpy
import pydicom
from pidng.core import RAW2DNG, DNGTags, Tag
from pidng.defs import CalibrationIlluminant, CFAPattern, DNGVersion, Orientation, PhotometricInterpretation
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo
from psd_tools import PSDImage
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from images import grain, lettering, paper, street

MAKE, MODEL, SOFTWARE, TAKEN, CAMERA_IFD, GPS_IFD = 0x010F, 0x0110, 0x0131, 0x9003, 0x8769, 0x8825
MAKER_NOTE = 0x927C
# UIDs under 2.25 are made from a UUID and belong to nobody.
STUDY = "2.25.329800735698586629295641978511506172918"
# sRGB from the sensor's colours, as the DNG specification wants it for a D65 light.
COLOURS = [[19549, 10000], [-7877, 10000], [-2582, 10000], [-5724, 10000], [10121, 10000], [1917, 10000],
           [-1267, 10000], [-110, 10000], [6621, 10000]]


def exif(model, taken, place=False):
    """EXIF as a camera writes it, with an own note of the maker; `place` is the square before Kawasaki city hall."""
    block = Image.Exif()
    block[MAKE], block[MODEL], block[SOFTWARE] = "Example", model, f"{model} firmware 1.02"
    camera = block.get_ifd(CAMERA_IFD)
    camera[TAKEN] = taken
    camera[MAKER_NOTE] = b"EXAMPLE\0II\x01\0" + random.Random(model).randbytes(180)
    if place:
        gps = block.get_ifd(GPS_IFD)
        gps[1], gps[2], gps[3], gps[4] = "N", (35.0, 31.0, 51.2), "E", (139.0, 42.0, 10.8)
    return block


def photos(out):
    """JPEG files of several kinds."""
    board = street(21, (640, 480))
    lettering(board, ["工事看板", "石綿 事前調査結果のお知らせ"], 28)
    board.save(out / "jpeg/notice-board.jpg", quality=60, progressive=True, exif=exif("Camera 2", "2024:05:25 15:02:11"))
    poster = street(22, (480, 640))
    lettering(poster, ["区民まつり", "出店者募集"], 40)
    # The CMYK of a printing firm: libjpeg adds the marker of Adobe and stores the values inverted.
    poster.convert("CMYK").save(out / "jpeg/poster-cmyk.jpg", quality=55, dpi=(350, 350))
    wide = street(23, (1008, 756)).resize((4032, 3024), Image.Resampling.BICUBIC)
    wide.save(out / "jpeg/photo-12mp.jpg", quality=70, exif=exif("Phone 1", "2024:05:26 09:41:00", place=True))
    place = street(24, (640, 480))
    place.save(out / "jpeg/maker-note.jpg", quality=60, exif=exif("Camera 1", "2024:05:23 10:15:30", place=True))
    place.resize((160, 120)).save(out / "tmp/thumbnail.jpg", quality=50)
    street(25, (400, 300)).save(out / "tmp/blog.jpg", quality=75)
    record = paper(["母子健康手帳", "新生児聴覚検査の記録", "検査年月日 令和6年4月9日", "右 パス 左 パス"], 26)
    record.convert("L").save(out / "jpeg/hearing-scan.jpg", quality=45, dpi=(300, 300))
    street(27, (320, 240)).save(out / "jpeg/web-saved.jfif", "JPEG", quality=60)
    paper(["領収書", "出産費用 一部負担金"], 28, (480, 640), 3).save(out / "jpeg/old-receipt.jpe", "JPEG", quality=40)
    for name, seed, model in [("site", 29, "Phone 1"), ("live", 30, "Phone 1"), ("heif", 31, "Phone 2")]:
        street(seed, (640, 480)).save(
            out / f"tmp/{name}.jpg", quality=90, exif=exif(model, "2024:05:26 11:20:00", place=name != "heif"))
    street(32, (640, 480)).save(out / "tmp/night.png")


def lossless(out):
    """PNG, GIF, WebP, TIFF and BMP files."""
    tones = numpy.linspace(0, 65535, 200 * 150, dtype=numpy.uint16).reshape(150, 200)
    Image.fromarray(tones).save(out / "png/analysis-16bit.png")
    chart = Image.new("RGB", (480, 320), "white")
    draw = ImageDraw.Draw(chart)
    for month in range(12):
        draw.rectangle([30 + month * 36, 280 - month * 17 % 200, 56 + month * 36, 280], fill=(60, 110 + month * 8, 200))
    lettering(chart, ["月別排出量"], 20, 10, 30)
    chart.quantize(64).save(out / "png/chart-palette.png")
    notes = PngInfo()
    notes.add_text("Software", "Example Capture 3.1")
    notes.add_text("Comment", "shop page, `order` button; <? 4,980 yen ?>")
    notes.add_itxt("Description", "注文画面 `確定` の前 <? 金額を確認 ?>", lang="ja")
    order = Image.new("RGB", (600, 400), "white")
    lettering(order, ["最終確認画面", "定期購入 初回 500円", "2回目以降 8,980円"], 26)
    order.save(out / "png/order-notes.png", pnginfo=notes, optimize=True)
    screen = Image.new("RGB", (1920, 1080), (240, 242, 246))
    draw = ImageDraw.Draw(screen)
    draw.rectangle([0, 0, 1920, 64], fill=(30, 60, 120))
    lettering(screen, ["電子申請 エラー画面", "404 Not Found", "送信ボタンを押すとこの画面になります"], 48, 160, 120)
    screen.save(out / "png/screen-full.png", optimize=True)
    plan = Image.new("RGB", (360, 260), "white")
    draw = ImageDraw.Draw(plan)
    draw.rectangle([20, 20, 340, 240], outline="black", width=3)
    draw.line([(180, 20), (180, 240)], fill="black", width=2)
    lettering(plan, ["保育室 42 m2", "便所 6 m2"], 20, 60, 40)
    plan.save(out / "tmp/room.png")
    frames = [Image.new("P", (160, 120), 0) for _ in range(6)]
    for step, frame in enumerate(frames):
        frame.putpalette([255, 255, 255, 220, 40, 40])
        ImageDraw.Draw(frame).ellipse([20 + step * 18, 50, 40 + step * 18, 70], fill=1)
    frames[0].save(out / "gif/sign-moving.gif", save_all=True, append_images=frames[1:], duration=200, loop=0)
    for number, frame in enumerate(frames, 1):
        frame.convert("RGB").save(out / f"tmp/frame-{number}.png")
    for number, lines in enumerate([["確認済証の写し", "第 R06-000 号"], ["検査済証の写し", "令和6年5月10日"]], 1):
        sheet = paper(lines, 40 + number).convert("L").point(lambda grey: 255 if grey > 128 else 0).convert("1")
        sheet.save(out / f"tmp/sheet-{number}.tif", dpi=(200, 200))
    chart.save(out / "tiff/survey-lzw.tif", compression="tiff_lzw")
    paper(["診断書", "所見 異常なし"], 43, (480, 640)).save(out / "tiff/scan-jpeg.tif", compression="jpeg", quality=50)
    grain(chart.resize((200, 133)), 0.02, 44).save(out / "bmp/sketch-24bit.bmp")


def design(out):
    """A layered poster and the parts of an icon."""
    back, front = street(50, (240, 180)), Image.new("RGBA", (240, 180), (0, 0, 0, 0))
    lettering(front, ["屋外広告物", "意匠図"], 24, 20, 20)
    merged = Image.alpha_composite(back.convert("RGBA"), front).convert("RGB")
    poster = PSDImage.frompil(merged)
    poster.create_pixel_layer(back.convert("RGBA"), name="背景")
    poster.create_pixel_layer(front, name="文字")
    poster.save(out / "psd/signboard.psd", encoding="cp932")
    for size in (16, 32):
        mark = Image.new("RGBA", (size, size), (0, 0, 0, 0))
        ImageDraw.Draw(mark).ellipse([1, 1, size - 2, size - 2], fill=(0, 120, 200, 255))
        mark.save(out / f"tmp/icon-{size}.png")


def negative(path):
    """A raw picture of a Bayer sensor, twelve bits a pixel."""
    width, height = 160, 120
    light = numpy.asarray(street(60, (width, height)), dtype=numpy.uint16) << 4
    mosaic = light[:, :, 1].copy()
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = light[0::2, 0::2, 0], light[1::2, 1::2, 2]
    tags = DNGTags()
    for tag, value in [
        (Tag.ImageWidth, width), (Tag.ImageLength, height), (Tag.TileWidth, width), (Tag.TileLength, height),
        (Tag.Orientation, Orientation.Horizontal), (Tag.SamplesPerPixel, 1), (Tag.BitsPerSample, 12),
        (Tag.PhotometricInterpretation, PhotometricInterpretation.Color_Filter_Array), (Tag.CFARepeatPatternDim, [2, 2]),
        (Tag.CFAPattern, CFAPattern.RGGB), (Tag.BlackLevel, 0), (Tag.WhiteLevel, 4095), (Tag.ColorMatrix1, COLOURS),
        (Tag.CalibrationIlluminant1, CalibrationIlluminant.D65), (Tag.AsShotNeutral, [[1, 1]] * 3),
        (Tag.Make, "Example"), (Tag.Model, "Camera 3"), (Tag.DNGBackwardVersion, DNGVersion.V1_2),
    ]:
        tags.set(tag, value)
    writer = RAW2DNG()
    writer.options(tags, path="", compress=False)
    path.write_bytes(writer.convert(mosaic))


def raw(make, model, mark=b""):
    """The head of a maker's raw file: a TIFF directory that names the camera and holds a small JPEG, and no sensor data.

    `mark` follows the eight bytes of the TIFF header.
    """
    jpeg = io.BytesIO()
    street(61, (320, 240)).save(jpeg, "JPEG", quality=50)
    preview = jpeg.getvalue()
    texts = [text.encode() + b"\0" for text in (make, model, "2024:05:25 13:30:00")]
    start = 8 + len(mark)
    count = 8
    at = start + 2 + 12 * count + 4
    places = []
    for text in texts:
        places.append(at)
        at += len(text) + len(text) % 2
    entries = [
        (0x0100, 4, 1, 320), (0x0101, 4, 1, 240), (0x010F, 2, len(texts[0]), places[0]),
        (0x0110, 2, len(texts[1]), places[1]), (0x0112, 3, 1, 1), (0x0132, 2, len(texts[2]), places[2]),
        (0x0201, 4, 1, at), (0x0202, 4, 1, len(preview)),
    ]
    directory = struct.pack("<H", count) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    body = b"".join(text + bytes(len(text) % 2) for text in texts)
    return b"II*\0" + struct.pack("<I", start) + mark + directory + body + preview


def radiograph(path):
    """A chest picture from the disc of a health check, of a person who does not exist."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = f"{STUDY}.1"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    picture = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    picture.SOPClassUID, picture.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    picture.StudyInstanceUID, picture.SeriesInstanceUID = f"{STUDY}.2", f"{STUDY}.3"
    picture.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    picture.PatientName, picture.PatientID = "Kawasaki^Taro=川崎^太郎=かわさき^たろう", "0000123"
    picture.StudyDate, picture.Modality = "20240510", "CR"
    picture.Rows, picture.Columns, picture.SamplesPerPixel = 128, 128, 1
    picture.PhotometricInterpretation = "MONOCHROME2"
    picture.BitsAllocated = picture.BitsStored = 8
    picture.HighBit, picture.PixelRepresentation = 7, 0
    picture.PixelData = paper(["胸部"], 62, (128, 128)).convert("L").tobytes()
    picture.save_as(path, enforce_file_format=True)


def main():
    out = Path(sys.argv[1])
    for folder in ["jpeg", "png", "gif", "tiff", "bmp", "psd", "dng", "cr2", "nef", "arw", "dcm", "tmp"]:
        (out / folder).mkdir(parents=True, exist_ok=True)
    photos(out)
    lossless(out)
    design(out)
    negative(out / "dng/landscape.dng")
    # Canon's mark: `CR`, version 2.0, and no offset of sensor data.
    (out / "cr2/landscape.cr2").write_bytes(raw("Canon", "Canon EOS 80D", b"CR\2\0" + bytes(4)))
    (out / "nef/landscape.nef").write_bytes(raw("NIKON CORPORATION", "NIKON D750"))
    (out / "arw/landscape.arw").write_bytes(raw("SONY", "ILCE-7M3"))
    radiograph(out / "dcm/chest.dcm")


main()
