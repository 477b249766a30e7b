"""Writes PDF, office and book files with the libraries that business systems use: `documents.py OUT`."""

import contextlib
import datetime
import io
import os
import sys
import tempfile
import uuid
from pathlib import Path

import docx
import ezdxf
import img2pdf
import openpyxl
import pikepdf
import pptx
import pypdf
import typst
import xlsxwriter
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from ms_ovba.Models.Entities.doc_module import DocModule
from ms_ovba.Models.Entities.reference import Reference
from ms_ovba.Models.Entities.reference_registered import ReferenceRegistered
from ms_ovba.Models.Entities.std_module import StdModule
from ms_ovba.Models.Fields.libid_reference import LibidReference
from ms_ovba.vbaProject import VbaProject
from ms_ovba.Views.project_ole_file import ProjectOleFile
from PIL import Image, ImageDraw, ImageFont
from pptx.opc.package import Part as SlidePart
from pptx.opc.packuri import PackURI
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

DAY = datetime.datetime(2024, 5, 27, 10, 0, 0)
FONT = "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf"
VBA_PROJECT = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
VBA_TYPE = "application/vnd.ms-office.vbaProject"


def page(path, title, lines, links=()):
    """One page by ReportLab; `links` are relative paths of further files, as (line, path)."""
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    sheet = Canvas(str(path), pagesize=A4, invariant=1)
    sheet.setTitle(title)
    for row, line in enumerate([title, "", *lines]):
        sheet.setFont("HeiseiKakuGo-W5", 10 if row else 14)
        sheet.drawString(72, 760 - row * 18, line)
    for row, target in links:
        sheet.linkURL(target, (72, 720 - row * 18, 400, 736 - row * 18), kind="GoToR")
    sheet.save()


def certificate():
    """A key that is thrown away, and nobody's certificate for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "JP"),
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example University"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example Registrar"),
    ])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(DAY).not_valid_after(DAY.replace(year=2034))
    usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    return key, builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())


def signed_pdf(path, plain):
    """A certificate of enrolment with the seal of the university as a digital signature."""
    key, shown = certificate()
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "key.pem"
        pem.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        crt = Path(folder) / "certificate.pem"
        crt.write_bytes(shown.public_bytes(serialization.Encoding.PEM))
        signer = signers.SimpleSigner.load(str(pem), str(crt))
    writer = IncrementalPdfFileWriter(io.BytesIO(plain.read_bytes()))
    fields.append_signature_field(writer, fields.SigFieldSpec("Signature1", box=(360, 60, 520, 110)))
    metadata = signers.PdfSignatureMetadata(field_name="Signature1", reason="在学証明書の発行", location="川崎市")
    path.write_bytes(signers.sign_pdf(writer, metadata, signer=signer).getbuffer())


def filled_form(path, blank):
    """The form with the values that another parent typed in."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(blank.read_bytes()))
    values = {"number": "0000456", "name": "TAMA HANAKO"}
    writer.update_page_form_field_values(writer.pages[0], values, auto_regenerate=False)
    writer.metadata = {"/Producer": "pypdf", "/Title": "現況届"}
    with path.open("wb") as out:
        writer.write(out)


def portfolio(path, cover, members):
    """A PDF portfolio: a cover sheet and the drawings as attached files, shown as a list."""
    with pikepdf.open(cover) as book:
        for name, content in members:
            spec = pikepdf.AttachedFileSpec(book, content, filename=name, mod_date="D:20240524100000+09'00'")
            book.attachments[name] = spec
        book.Root.Collection = pikepdf.Dictionary(Type=pikepdf.Name.Collection, View=pikepdf.Name.D)
        book.save(path, deterministic_id=True)


def scan(path, pages):
    """Two pages as a copier scans them: black and white, Group 4."""
    images = []
    for lines in pages:
        image = Image.new("1", (826, 1169), 1)
        draw = ImageDraw.Draw(image)
        for row, line in enumerate(lines):
            draw.text((80, 100 + row * 48), line, font=ImageFont.truetype(FONT, 28), fill=0)
        draw.rectangle((640, 980, 740, 1080), outline=0, width=3)
        held = io.BytesIO()
        image.save(held, "TIFF", compression="group4", dpi=(100, 100))
        images.append(held.getvalue())
    when = DAY.replace(tzinfo=datetime.UTC)
    path.write_bytes(img2pdf.convert(images, creationdate=when, moddate=when, engine=img2pdf.Engine.internal))


def typeset(path):
    """A receipt by Typst, as PDF 2.0."""
    source = """#set document(title: "領収書", date: datetime(year: 2024, month: 5, day: 20))
#set page(width: 148mm, height: 105mm, margin: 12mm)
#set text(font: "IPAexGothic", lang: "ja", size: 10pt)
= 領収書
川崎 花子(架空) 様 \\
新生児聴覚検査(自動ABR) 一式
#table(columns: 2, [検査料], [5,000円], [合計], [5,000円])
令和6年5月20日 (架空)かわさき産婦人科医院
"""
    path.write_bytes(typst.compile(
        source.encode(), font_paths=[os.path.dirname(FONT)], ignore_system_fonts=True, pdf_standards=["2.0"]))


def plan(path):
    """Pipes of a building in millimetres, which LibreCAD prints."""
    drawing = ezdxf.new("R2000", units=4)
    space = drawing.modelspace()
    space.add_lwpolyline([(20, 20), (821, 20), (821, 574), (20, 574)], close=True)
    for column in range(4):
        space.add_lwpolyline([(80 + column * 180, 120), (80 + column * 180, 480)])
        space.add_circle((80 + column * 180, 120), 12)
    space.add_lwpolyline([(60, 120), (760, 90)])
    space.add_text("DRAINAGE PLAN 1/50  VU100 i=2/100", height=12).set_placement((80, 520))
    drawing.saveas(path)


def word_host():
    """The module of the document itself, which each VBA project of Word holds."""
    Path("host.cls").write_text(
        "VERSION 1.0 CLASS\nBEGIN\n  MultiUse = -1  'True\nEND\n"
        'Attribute VB_Name = "ThisDocument"\nAttribute VB_Base = "1Normal.ThisDocument"\n'
        "Attribute VB_GlobalNameSpace = False\nAttribute VB_Creatable = False\n"
        "Attribute VB_PredeclaredId = True\nAttribute VB_Exposed = True\n"
        "Attribute VB_TemplateDerived = True\nAttribute VB_Customizable = True\n", "ascii")
    host = DocModule("ThisDocument")
    host.add_file("host.cls")
    host.add_guid(uuid.UUID("0002090600000000C000000000000046"))
    return host


def vba_project(hosts, code):
    """A VBA project of the modules that `hosts` make and one harmless macro, compiled by ms_ovba."""
    project = VbaProject()
    project.project_id = "{9E394C0B-697E-4AEE-9FA6-446F51FB30DC}"
    automation = LibidReference(
        uuid.UUID("0002043000000000C000000000000046"), "2.0", "0", "C:\\Windows\\System32\\stdole2.tlb",
        "OLE Automation")
    project.add_reference(Reference(ReferenceRegistered(automation), "stdole"))
    # The library writes its parts into the current folder.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("module.bas").write_text(f'Attribute VB_Name = "Module1"\n{code}', "ascii")
        macro = StdModule("Module1")
        macro.add_file("module.bas")
        for module in [*(make() for make in hosts), macro]:
            module.normalize_file()
            project.add_module(module)
        ProjectOleFile.write_file(project)
        return Path("vbaProject.bin").read_bytes()


def macro_document(path):
    """A report form of Word that updates its own fields."""
    form = letter("事故報告書(入力支援付き)", [
        "事業所 デイサービスかわさき(架空)", "発生日時 令和6年5月24日 14時20分", "区分 転倒", "対応 受診、家族に連絡",
    ])
    code = "Option Explicit\nSub Koushin()\n    ActiveDocument.Fields.Update\nEnd Sub\n"
    project = vba_project([word_host], code)
    main = form.part
    main._content_type = "application/vnd.ms-word.document.macroEnabled.main+xml"
    name = docx.opc.packuri.PackURI("/word/vbaProject.bin")
    main.relate_to(Part(name, VBA_TYPE, project, main.package), VBA_PROJECT)
    form.save(str(path))


def macro_slides(path):
    """Slides for a class at school with a macro that goes to the next one."""
    show = pptx.Presentation()
    for heading in ["交通安全教室 事前説明", "当日の流れ"]:
        slide = show.slides.add_slide(show.slide_layouts[5])
        slide.shapes.title.text = heading
    stamp(show.core_properties, "交通安全教室 事前説明")
    code = "Option Explicit\nSub Tsugi()\n    ActivePresentation.SlideShowWindow.View.Next\nEnd Sub\n"
    project = vba_project([], code)
    main = show.part
    main._content_type = "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml"
    main.relate_to(SlidePart(PackURI("/ppt/vbaProject.bin"), VBA_TYPE, main.package, project), VBA_PROJECT)
    show.save(str(path))


def stamp(properties, title):
    properties.title, properties.author, properties.last_modified_by = title, "", ""
    properties.created = properties.modified = DAY
    properties.comments = ""


def letter(title, lines):
    paper = docx.Document()
    stamp(paper.core_properties, title)
    paper.add_heading(title, 1)
    for line in lines:
        paper.add_paragraph(line)
    return paper


def tracked_changes(path):
    """An application that two people corrected, with a picture and a comment in the margin."""
    paper = letter("共催・後援申請書", ["団体名 かわさき音楽を楽しむ会(架空)"])
    line = paper.add_paragraph("入場料 ")
    by = 'w:author="事務局" w:date="2024-05-24T09:30:00Z"'
    line._p.append(parse_xml(f'<w:del {nsdecls("w")} w:id="1" {by}><w:r><w:delText>500円</w:delText></w:r></w:del>'))
    line._p.append(parse_xml(f'<w:ins {nsdecls("w")} w:id="2" {by}><w:r><w:t>無料</w:t></w:r></w:ins>'))
    place = paper.add_paragraph("会場 市民館 大ホール")
    paper.add_comment(place.runs[0], text="会場の承諾書を添付してください。", author="事務局", initials="事")
    comment = next(iter(paper.comments))._comment_elm
    comment.set(docx.oxml.ns.qn("w:date"), "2024-05-24T09:30:00Z")
    picture = io.BytesIO()
    image = Image.new("RGB", (240, 120), (255, 250, 230))
    ImageDraw.Draw(image).text((20, 40), "ロゴ(案)", font=ImageFont.truetype(FONT, 32), fill=(180, 60, 20))
    image.save(picture, "PNG")
    paper.add_picture(picture, width=docx.shared.Mm(60))
    paper.save(str(path))


def workbook(path):
    """A workbook with sheets, sums, a chart, a comment, a choice, a link and a picture."""
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"title": "減量等計画書", "created": DAY})
        sheet, detail = book.add_worksheet("様式1"), book.add_worksheet("内訳")
        detail.write_row(0, 0, ["種類", "令和5年度", "令和6年度"])
        for row, (kind, before, after) in enumerate([("紙類", 24, 20), ("厨芥類", 18, 15), ("木くず", 6, 5)], 1):
            detail.write_row(row, 0, [kind, before, after])
        sheet.write_row(0, 0, ["事業所", "(架空)かわさき物産館"])
        sheet.write(1, 0, "排出量の合計 t")
        sheet.write_formula(1, 1, "=SUM(内訳!C2:C4)", None, 40)
        sheet.write(2, 0, "削減率")
        sheet.write_formula(2, 1, "=1-B2/SUM(内訳!B2:B4)", book.add_format({"num_format": "0.0%"}), 1 / 6)
        sheet.write_comment("B2", "内訳から自動計算", {"author": "担当"})
        sheet.data_validation("B4", {"validate": "list", "source": ["自己処理", "委託"]})
        sheet.write_row(3, 0, ["処理の方法", "委託"])
        sheet.write_url("A5", "https://city.example/waste/", string="手引き")
        chart = book.add_chart({"type": "column"})
        chart.add_series({"categories": "=内訳!$A$2:$A$4", "values": "=内訳!$C$2:$C$4"})
        sheet.insert_chart("D2", chart)
        picture = io.BytesIO()
        Image.new("RGB", (80, 40), (40, 120, 80)).save(picture, "PNG")
        sheet.insert_image("A8", "logo.png", {"image_data": picture})


def injected(path):
    """A list by openpyxl whose cells are links, remarks in SQL-like words and a hidden sheet."""
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = DAY
    book.properties.creator = ""
    sheet = book.active
    sheet.title = "添付一覧"
    sheet.append(["番号", "書類", "備考"])
    sheet.append([1, '=HYPERLINK("https://city.example/form1","様式1")', "select 欄から選択; drop box に保存"])
    sheet.append([2, '=HYPERLINK("mailto:survey@city.example","提出先")', "union 会館 (2F) -- 正面玄関"])
    book.create_sheet("作業用").sheet_state = "hidden"
    book.save(path)


def main():
    out = Path(sys.argv[1])
    for folder in ["pdf", "docx", "docm", "pptm", "xlsx", "tmp"]:
        (out / folder).mkdir(parents=True, exist_ok=True)
    page(out / "tmp/enrolment.pdf", "在学証明書", [
        "氏名 川崎 次郎(架空)", "学部 (架空)大学 工学部 2年", "上記の者は本学に在学していることを証明する。",
        "令和6年5月20日 学長 (電子署名)",
    ])
    signed_pdf(out / "pdf/signed.pdf", out / "tmp/enrolment.pdf")
    page(out / "pdf/cover-letter.pdf", "書類送付状", [
        "川崎市 御中", "(架空)信用組合 融資部", "次の書類を送付します。", "1 実績報告書 1部", "2 一覧表 1部", "3 委任状 1部",
    ])
    filled_form(out / "pdf/application-filled.pdf", out / "pdf/form-fields.pdf")
    page(out / "tmp/cover.pdf", "開発行為 事前相談図書", ["1 位置図", "2 現況図", "3 計画概要"])
    portfolio(out / "pdf/portfolio.pdf", out / "tmp/cover.pdf", [
        ("1_位置図.txt", "位置図は別紙のとおり(架空)".encode()), ("2_事前相談書.pdf", (out / "tmp/enrolment.pdf").read_bytes()),
    ])
    scan(out / "pdf/scan-pages.pdf", [
        ["現況届", "受給者 川崎 花子(架空)", "児童 1人 同居"], ["健康保険証の写し(架空)", "記号 000 番号 0000"],
    ])
    page(out / "pdf/relative-links.pdf", "完了届 添付図書目次", [
        "1 完了写真", "2 立面図(色彩計画)", "3 緑化計画図",
    ], [(0, "../photo/kanryo.pdf"), (1, "../../zumen/ritsumen.pdf"), (2, "../zumen/ryokka.pdf")])
    typeset(out / "pdf/typst-2-0.pdf")
    plan(out / "tmp/plan.dxf")
    macro_document(out / "docm/accident-form.docm")
    macro_slides(out / "pptm/traffic-class.pptm")
    tracked_changes(out / "docx/tracked-changes.docx")
    workbook(out / "xlsx/workbook-charts.xlsx")
    injected(out / "xlsx/hyperlink-formulas.xlsx")


main()
