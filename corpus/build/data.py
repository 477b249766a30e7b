"""Writes the text, data and drawing files: `data.py OUT`, with the libraries that people's own programs use."""

import csv
import datetime
import io
import json
import sys
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import ezdxf
import icalendar
import openpyxl
import vobject
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

DAY = datetime.datetime(2024, 5, 27, 10, 0, 0)
JST = datetime.timezone(datetime.timedelta(hours=9))

OPINION = """ごみ収集について
いつもお世話になっております。粗大ごみの申込書を添付します。
収集場所は自宅前です。よろしくお願いいたします。
川崎 太郎(架空)
"""

# A consumer pastes the source of a dubious page into a text file: it looks like an attack and is a complaint.
PASTED_PAGE = """不審な通販サイトの画面のソースを貼り付けます。
<html><head><title>大特価</title>
<script src="https://shop.example/cart.js"></script>
</head><body>ログインしてください</body></html>
"""

# The line `-- ` before a signature puts newline and two hyphens into whatever file holds the mail.
MAIL_COPY = """件名: 図面の送付について

図面をお送りします。ご確認ください。

-- 
川崎 太郎(架空)
かわさき設計事務所
"""


def mail():
    """A mail that a consumer saved and sends on to the advice centre."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("架空ショップ", "info", "shop.example")
    message["To"] = Address("川崎 太郎", "taro", "mail.example")
    message["Subject"] = "【重要】ご注文の確認"
    message["Date"] = DAY.replace(tzinfo=JST)
    message["Message-ID"] = "<20240527100000.1@shop.example>"
    message.set_content("ご注文ありがとうございます。合計 4,980円です。\n", cte="base64")
    message.add_alternative("<html><body><p>ご注文ありがとうございます。</p></body></html>\n", "html", cte="8bit")
    message.set_boundary("=_shop_0001")
    return message.as_bytes()


def calendar():
    event = icalendar.Event()
    event.add("uid", "traffic-class-1@school.example")
    event.add("dtstamp", DAY.replace(tzinfo=datetime.UTC))
    event.add("dtstart", datetime.date(2024, 6, 12))
    event.add("summary", "交通安全教室(第1希望)")
    event.add("location", "川崎市立(架空)小学校 校庭")
    book = icalendar.Calendar()
    book.add("prodid", "-//school.example//traffic class//JA")
    book.add("version", "2.0")
    book.add_component(event)
    return book.to_ical()


def card():
    person = vobject.vCard()
    person.add("fn").value = "川崎 花子"
    person.add("n").value = vobject.vcard.Name(family="川崎", given="花子")
    person.add("org").value = ["(架空)公立保育所"]
    person.add("tel").value = "044-000-0000"
    return person.serialize().encode()


def drawing(path):
    """A road and a lot, in the old CP932 form that Japanese CAD programs exchange."""
    ezdxf.options.write_fixed_meta_data_for_testing = True
    plan = ezdxf.new("R2000")
    plan.encoding = "cp932"
    plan.layers.add("道路境界", color=1)
    space = plan.modelspace()
    space.add_lwpolyline([(0, 0), (12, 0), (12, 9), (0, 9)], close=True, dxfattribs={"layer": "道路境界"})
    space.add_text("市道 架空1号線 W=4.0m", height=0.5).set_placement((1, -1))
    plan.saveas(path, encoding="cp932")


def form(path):
    """A PDF form as filled in by a parent."""
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    page = Canvas(str(path), pagesize=A4, invariant=1)
    page.setTitle("現況届")
    page.setFont("HeiseiKakuGo-W5", 14)
    page.drawString(72, 760, "児童手当 現況届")
    page.setFont("HeiseiKakuGo-W5", 10)
    for row, (label, name, value) in enumerate([("受給者番号", "number", "0000123"), ("ローマ字氏名", "name", "KAWASAKI TARO")]):
        y = 720 - row * 36
        page.drawString(72, y + 6, label)
        page.acroForm.textfield(name=name, value=value, x=180, y=y, width=200, height=20, fontName="Helvetica")
    page.drawString(72, 640, "同居している")
    page.acroForm.checkbox(name="together", checked=True, x=180, y=636, size=16)
    page.save()


def book(path):
    """A workbook as a business system exports it."""
    work = openpyxl.Workbook()
    work.properties.created = work.properties.modified = DAY
    work.properties.creator = ""
    sheet = work.active
    sheet.title = "排出計画"
    for row in [("区分", "4月", "5月"), ("事業系一般廃棄物", 12.5, 11.8), ("資源化物", 8.0, 8.4)]:
        sheet.append(row)
    work.save(path)


def main():
    out = Path(sys.argv[1])
    for folder in ["txt", "csv", "json", "eml", "ics", "vcf", "dxf", "pdf", "xlsx", "tmp"]:
        (out / folder).mkdir(parents=True, exist_ok=True)
    crlf = lambda text: text.replace("\n", "\r\n")
    (out / "txt/opinion-bom.txt").write_bytes(crlf(OPINION).encode("utf-8-sig"))
    (out / "txt/pasted-page.txt").write_bytes(crlf(PASTED_PAGE).encode("cp932"))
    (out / "tmp/mail.txt").write_bytes(MAIL_COPY.encode())
    table = io.StringIO(newline="")
    csv.writer(table).writerows([
        ("職員番号", "氏名", "家賃月額", "備考"), ("001", "川崎 太郎(架空)", "62000", "=C2/2 を補助"),
        ("002", "O'Brien 花子(架空)", "58000", "select 欄は 1 or 2"),
    ])
    (out / "csv/rent-bom.csv").write_bytes(table.getvalue().encode("utf-8-sig"))
    survey = {"学校": "(架空)第一小", "学年": 5, "施設": "八ヶ岳少年自然の家", "人数": 101, "備考": None}
    (out / "json/survey.json").write_text(json.dumps(survey, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (out / "tmp/hygiene.xml").write_text(
        "<届出><施設 番号='01'><名称>(架空)公立保育所</名称><定員>60</定員></施設></届出>", encoding="utf-8")
    (out / "eml/order-mail.eml").write_bytes(mail())
    (out / "ics/traffic-class.ics").write_bytes(calendar())
    (out / "vcf/contact.vcf").write_bytes(card())
    drawing(out / "dxf/road-plan.dxf")
    form(out / "pdf/form-fields.pdf")
    book(out / "xlsx/emission-plan.xlsx")


main()
