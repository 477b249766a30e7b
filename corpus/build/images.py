"""Draws the pictures: `images.py OUT`. Noise is seeded, so that the same Pillow writes the same bytes."""

import random
import sys
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONT = "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf"
PAPER = (250, 248, 242)


def lettering(picture, lines, size, top=40, left=40):
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(FONT, size)
    for row, line in enumerate(lines):
        draw.text((left, top + row * size * 1.6), line, font=font, fill=(40, 40, 40))


def grain(picture, strength, seed):
    """Adds the noise of a camera or scanner: flat drawings compress too well to stand for photos."""
    source = random.Random(seed)
    noise = Image.frombytes("L", picture.size, source.randbytes(picture.width * picture.height))
    return Image.blend(picture, Image.merge("RGB", [noise] * 3), strength)


def street(seed, size=(800, 600)):
    """A street under a bright sky."""
    width, height = size
    source = random.Random(seed)
    picture = Image.new("RGB", size)
    draw = ImageDraw.Draw(picture)
    for y in range(height):
        draw.line([(0, y), (width, y)], fill=(120 + y // 8, 170 + y // 12, 230 - y // 16))
    for block in range(9):
        left = block * width // 9
        top = height // 4 + source.randrange(height // 4)
        draw.rectangle([left, top, left + width // 10, height], fill=tuple(source.randrange(90, 200) for _ in "rgb"))
        for y in range(top + 12, height - 40, 28):
            draw.rectangle([left + 14, y, left + 34, y + 14], fill=(230, 230, 180))
    draw.polygon([(0, height), (width, height), (width * 3 // 5, height * 2 // 3), (width * 2 // 5, height * 2 // 3)],
                 fill=(90, 90, 96))
    return grain(picture.filter(ImageFilter.GaussianBlur(1)), 0.06, seed)


def paper(lines, seed, size=(620, 876), tilt=0.6):
    """A sheet of paper with lettering, a little askew, as a scanner or a phone sees it."""
    picture = Image.new("RGB", size, PAPER)
    lettering(picture, lines, 24)
    return grain(picture.rotate(tilt, fillcolor=(225, 225, 225), resample=Image.Resampling.BICUBIC), 0.03, seed)


def main():
    out = Path(sys.argv[1])
    for folder in ["jpeg", "png", "gif", "tiff", "pdf", "tmp"]:
        (out / folder).mkdir(parents=True, exist_ok=True)

    street(1).save(out / "jpeg/site-photo.jpg", quality=62)
    flyer = street(2, (560, 420))
    lettering(flyer, ["かわさき市民音楽祭", "10月5日(土) 13時開演 入場無料"], 28)
    flyer.save(out / "jpeg/flyer-xmp.jpg", quality=60)
    receipt = paper(["領収書", "川崎 花子 様(架空)", "産婦健康診査 5,000円", "令和6年5月13日", "かわさき架空産院"], 3)
    receipt.save(out / "jpeg/receipt.jpg", quality=45)
    for number in (1, 2):
        street(10 + number, (400, 300)).save(out / f"tmp/pool-{number}.jpg", quality=55)

    passbook = paper(["普通預金", "架空銀行 川崎支店", "口座番号 1234567", "カワサキ ハナコ"], 4, (640, 480), 2)
    passbook.save(out / "tmp/passbook.jpg", quality=92)
    park = street(5, (640, 480))
    park.save(out / "tmp/park.png")

    screen = Image.new("RGB", (480, 320), "white")
    lettering(screen, ["ご注文の確認", "お届け日 5月28日", "合計 4,980円(税込)"], 20)
    screen.save(out / "png/screenshot.png", optimize=True)

    plan = Image.new("P", (320, 240), 0)
    plan.putpalette([255, 255, 255, 60, 60, 60, 200, 30, 30])
    draw = ImageDraw.Draw(plan)
    for x in range(0, 320, 64):
        draw.line([(x, 0), (x + 20, 240)], fill=1, width=3)
    draw.ellipse([150, 100, 166, 116], fill=2)
    plan.save(out / "gif/route-map.gif")
    plan.convert("RGB").save(out / "tmp/map.png")

    fax = paper(["委任状", "私は、川崎 太郎を代理人と定め、", "申請に関する一切を委任します。"], 6)
    fax = fax.convert("L").point(lambda grey: 255 if grey > 128 else 0).convert("1")
    fax.save(out / "tiff/proxy-fax.tif", compression="group4", dpi=(204, 196))

    scan = paper(["在学証明書", "氏名 川崎 次郎(架空)", "令和6年4月5日現在、本校に", "在学していることを証明する。", "かわさき架空高等学校"], 7)
    day = time.struct_time((2024, 5, 27, 10, 0, 0, 0, 148, 0))
    scan.save(out / "pdf/scan-certificate.pdf", resolution=75, quality=50, title="スキャン", creationDate=day, modDate=day)


if __name__ == "__main__":
    main()
