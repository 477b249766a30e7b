"""Writes the text, data and drawing files: `data.py OUT`, with the libraries that people's own programs use."""

import csv
import datetime
import io
import json
import mailbox
import plistlib
import sys
from email.charset import Charset
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from pathlib import Path

import dbf
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

# Someone who advises on phishing explains what a browser sends: to a rule it is a request inside a request.
HTTP_EXPLAINER = """偽サイトの見分け方(勉強会の資料)

ブラウザーは、ボタンを押すと次のような要求を送ります。

GET /login.php?id=1&next=../account HTTP/1.1
Host: bank.example
Cookie: session=0000

サーバーの応答の例:

HTTP/1.1 302 Found
Location: https://bank.example.invalid/
Set-Cookie: session=0000; Secure

送り先の Host: が本物と違うときは、入力をやめてください。
curl -I https://bank.example/ でも確かめられます。
"""

# Words that are SQL to a rule and everyday remarks to the clerk who typed them.
REMARKS = [
    ("区分", "依頼先", "備考"),
    ("union", "(架空)組合 東支部", "select 会員から 1 or 2 名; 退会者は delete 済み"),
    ("drop", "ドロップボックス table 3", "' or '1'='1 のような番号は使わない -- 係より"),
    ("insert", "別紙を insert into ファイル", "having 2名以上; order by 氏名"),
]
MEMO = """接種記録の訂正について
誤 令和3年7月10日(1回目)
正 令和3年7月17日(1回目)
接種券番号 0000000001
"""
ANSWER = """照会へのご回答
1 消火器の設置数 12本(令和6年4月点検済み)
2 防火管理者 麻生 三郎(架空) 甲種
3 避難訓練 令和6年3月12日に実施、参加 48名
"""
CALL_MEMO = """相談の経過
5/20 ﾃﾚﾋﾞｼｮｯﾋﾟﾝｸﾞの会社から電話。№12の商品、㈱かわさき通販(架空)
5/21 ①返品を申し出た ②断られた
5/23 消費生活ｾﾝﾀｰに相談。金額 4,980円~
"""
ROSTER = [("学級", "担任", "人数", "参加"), ("1組", "髙橋(架空)", 32, "○"), ("2組", "﨑山(架空)", 31, "○"), ("3組", "吉田(架空)", 33, "×")]
# The feed of a security notice, which spells out the script that it warns of.
NOTICE = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ja">
  <title>通販サイトの不具合のお知らせ(架空)</title>
  <id>tag:shop.example,2024:notice</id>
  <updated>2024-05-20T09:00:00+09:00</updated>
  <entry>
    <title>レビュー欄のクロスサイトスクリプティング(XSS)</title>
    <id>tag:shop.example,2024:notice-1</id>
    <updated>2024-05-20T09:00:00+09:00</updated>
    <content type="html">レビューに &lt;code&gt;&amp;lt;script&amp;gt;alert(1)&lt;/code&gt; と書けました。</content>
    <summary><![CDATA[例: <script>alert(document.cookie)</script> を無害化しました。]]></summary>
  </entry>
</feed>
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


def jis_mail():
    """A forwarded mail as older mail programs write it: ISO-2022-JP, a file name in the manner of a subject."""
    message = MIMEMultipart(boundary="----=_NextPart_000_0001")
    message["From"] = "info@koumuten.example"
    message["To"] = "hanako@mail.example"
    message["Subject"] = Header("Fw: 見積りの件", "iso-2022-jp")
    message["Date"] = "Mon, 20 May 2024 18:30:00 +0900"
    message["Message-ID"] = "<20240520183000.1@koumuten.example>"
    message["X-Mailer"] = "Example Mailer 6.0"
    body = "屋根の無料点検のお見積りをお送りします。\n契約は本日中にお願いします。\n-- \n架空工務店\n"
    message.attach(MIMEText(body, "plain", Charset("iso-2022-jp")))
    table = "項目,金額\r\n屋根瓦の補修,498000\r\n足場,120000\r\n".encode("cp932")
    part = MIMEApplication(table, "octet-stream", name=Header("見積書.csv", "iso-2022-jp").encode())
    part.add_header("Content-Disposition", "attachment", filename=Header("見積書.csv", "iso-2022-jp").encode())
    message.attach(part)
    received = b"Received: from mail.koumuten.example by mx.mail.example; Mon, 20 May 2024 18:30:02 +0900\r\n"
    return received + message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def mails(path):
    """The thread with the shop, exported by a mail program as one mbox."""
    box = mailbox.mbox(path)
    for number, line in enumerate(["解約したいです。", "From 3回目は自動で発送されます、との返事でした。"], 1):
        message = mailbox.mboxMessage(EmailMessage())
        message.set_from(f"taro@mail.example Mon May 2{number} 10:00:00 2024")
        message["From"], message["Subject"] = "taro@mail.example", f"No.{number}"
        message["Date"] = f"Mon, 2{number} May 2024 10:00:00 +0900"
        message.set_payload(line + "\n", "utf-8")
        box.add(message)
    box.close()


def database(path):
    """A register in dBASE, as old stock and map programs keep it, with Shift_JIS text."""
    table = dbf.Table(str(path), "ID N(4,0); NAME C(40); WARD C(16); KIND C(20)", codepage="cp932")
    with table.open(dbf.READ_WRITE):
        for row in [(1, "かわさき看板(架空)", "川崎区", "屋上広告"), (2, "なかはら堂(架空)", "中原区", "突出広告")]:
            table.append(row)


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
    for folder in ["txt", "csv", "json", "eml", "ics", "vcf", "dxf", "pdf", "xlsx", "tmp", "tsv", "log", "mbox",
                   "dbf", "url", "webloc", "xml"]:
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
    texts = [
        ("txt/http-explainer.txt", HTTP_EXPLAINER, "utf-8"), ("txt/answer-utf8.txt", ANSWER, "utf-8"),
        ("txt/call-memo-sjis.txt", CALL_MEMO, "cp932"), ("txt/vaccination-utf16.txt", MEMO, "utf-16"),
        ("txt/vaccination-jis.txt", MEMO, "iso-2022-jp"), ("txt/answer-eucjp.txt", ANSWER, "euc-jp"),
    ]
    for name, content, charset in texts:
        (out / name).write_bytes(crlf(content).encode(charset))
    rows = [("日付", "紙類", "厨芥類"), ("2024-04-01", "12.5", "8.0"), ("2024-04-02", "11.8", "8.4")]
    for name, lines, charset, delimiter in [
        ("csv/sql-words.csv", REMARKS, "utf-8", ","), ("csv/emissions-utf8.csv", rows, "utf-8", ","),
        ("tsv/roster.tsv", ROSTER, "utf-8", "\t"), ("txt/unicode-text.txt", ROSTER, "utf-16", "\t"),
    ]:
        table = io.StringIO(newline="")
        csv.writer(table, delimiter=delimiter).writerows(lines)
        (out / name).write_bytes(table.getvalue().encode(charset))
    answers = [{"school": f"(架空)第{number}小", "answers": {"grade": 5, "days": [3, 5], "contact": {"$ne": None}},
                "note": "<未定> & 'A' or 'B'"} for number in (1, 2)]
    (out / "json/object.json").write_text(json.dumps({"survey": answers}, indent=1), encoding="ascii")
    (out / "xml/security-notice.xml").write_text(NOTICE, encoding="utf-8")
    (out / "xml/staff-sjis.xml").write_bytes(crlf(
        "<?xml version='1.0' encoding='Shift_JIS'?>\n<職員一覧><職員 番号='1'><氏名>能登 花子(架空)</氏名>"
        "<職種>調理</職種></職員></職員一覧>\n").encode("cp932"))
    (out / "log/dust-monitor.log").write_text("".join(
        f"2024-05-24 {9 + minute // 60:02}:{minute % 60:02}:00,INFO,粉じん計1,{0.02 + minute % 7 / 1000:.3f} mg/m3\n"
        for minute in range(0, 180, 10)), encoding="utf-8")
    (out / "eml/estimate-jis.eml").write_bytes(jis_mail())
    mails(out / "mbox/shop.mbox")
    database(out / "dbf/signboards.dbf")
    # A shortcut dragged out of the address bar, on Windows and on macOS.
    (out / "url/shop.url").write_bytes(crlf("[InternetShortcut]\nURL=https://shop.example/order?id=1\n").encode())
    (out / "webloc/shop.webloc").write_bytes(plistlib.dumps({"URL": "https://shop.example/order?id=1"}))
    (out / "tmp/hygiene.xml").write_text(
        "<届出><施設 番号='01'><名称>(架空)公立保育所</名称><定員>60</定員></施設></届出>", encoding="utf-8")
    (out / "eml/order-mail.eml").write_bytes(mail())
    (out / "ics/traffic-class.ics").write_bytes(calendar())
    (out / "vcf/contact.vcf").write_bytes(card())
    drawing(out / "dxf/road-plan.dxf")
    form(out / "pdf/form-fields.pdf")
    book(out / "xlsx/emission-plan.xlsx")


main()
