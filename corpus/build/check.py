"""Checks the built-in corpus, with the Python of requirements.txt and the packages of packages.txt. See README.md.

Each file is opened by a program that did not write it. The tags that state a fact about the bytes are compared with the
bytes.
"""

import argparse
import configparser
import csv
import email
import hashlib
import io
import json
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import tomllib
import zipfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import docx
import dwg2geo
import ezjww
import msoffcrypto
import olefile
import openpyxl
import pptx
import pyiges
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from ebooklib import epub
from numbers_parser import Document as NumbersDocument
from odf import opendocument, teletype
from oletools.olevba import VBA_Parser
from PIL import Image
from steputils import p21

from controls import CONTROLS, armour, disarm
from procedures import OTHERS, SUBMISSIONS, weights

BUILD = Path(__file__).resolve().parent
CORPUS = BUILD.parent
# What build.sh calls its list of programs.
VERSIONS = "versions.txt"
FORMATS_AT_LEAST = 60
PASSWORD = "Kawasaki2024"
WEIGHT_LIMIT = 12_000_000
WINDOW = 128 * 1024
KEYS = {
    "id", "file", "sha256", "filename", "intent", "twin", "encoding", "procedures", "tags", "weight", "source",
    "type", "client", "page", "transport", "fields", "also", "empty", "wire", "size", "axes", "fictional", "fidelity",
    "trips",
}
# What a cautious edge knows of an extension: the bytes that such a file starts with.
ZIP, OLE, JPEG, GZIP = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xd8\xff", b"\x1f\x8b"
SEVEN_ZIP, AES_OF_7Z = b"7z\xbc\xaf", b"\x06\xf1\x07\x01"
MAGIC = {
    "pdf": b"%PDF-", "png": b"\x89PNG", "gif": b"GIF8", "tif": b"II*\0", "bmp": b"BM", "webp": b"RIFF", "wav": b"RIFF",
    "avi": b"RIFF", "rtf": b"{\\rtf", "7z": SEVEN_ZIP, "mp3": b"ID3", "psd": b"8BPS", "rar": b"Rar!", "dwg": b"AC10",
    "ps": b"%!PS", "xml": b"<", "fodt": b"<", "xtx": b"<?xml", "webloc": b"<?xml",
    "dbf": b"\x03", "accdb": b"\0\1\0\0Standard ACE", "xdw": b"\x60\x0e", "xbd": b"\x60\x0e",
} | dict.fromkeys(
    "docx docm dotx xlsx xlsm xlsb xltx pptx pptm odt ods odp odg numbers epub xps zip kmz".split(), ZIP
) | dict.fromkeys("doc xls ppt msg jtd pub".split(), OLE) | dict.fromkeys(
    "jpg jpeg jfif jpe".split(), JPEG
) | dict.fromkeys("gz tgz".split(), GZIP) | dict.fromkeys("cer p12 p7b p7s".split(), b"\x30\x82") | dict.fromkeys(
    "pem csr asc".split(), b"-----BEGIN"
)
# Office files that are a ZIP, and an OLE package as soon as they have a password.
PACKED = {"docx", "pptx", "xlsx"}
REFUSED_EXTENSIONS = set(
    "xlsm docm pptm xlsb xltx dotx fodt odg numbers pub jtd xdw xbd xtx 7z lzh heic dxf html mht url webloc mbox msg"
    " eml db dbf accdb log ps eps xps epub pem cer crt csr p12 p7b p7s p7m gpg asc"
    " heif avif jfif jpe jp2 jxl ico psd ai dng cr2 nef arw dcm rar tar tgz bz2 xz gz zst cab iso"
    " dwg jww sfc p21 step stp igs stl glb ifc plt sim kml kmz gml gpx shp geojson"
    " amr 3gp aac flac ogg opus wma wmv avi webm".split()
)
MACHINE_PATHS = re.compile(rb"/(?:home|root|tmp|var|work|usr)/[A-Za-z0-9._-]+")


# What the running check has opened its file with.
USED = threading.local()
# How an entry's `source` calls a program that is also one of ours, where its command has another name.
PROJECTS = {
    "7z": "7-Zip", "bsdtar": "libarchive", "ffmpeg": "FFmpeg", "file": "file(1)", "gs": "Ghostscript",
    "identify": "ImageMagick", "soffice": "LibreOffice", "xmllint": "libxml2", "unzip": "Info-ZIP UnZip",
}
# What no program was found for but the one that wrote it.
NO_OTHER_READER = {"7z/hidden-names", "jww/drainage"}
# What LibreOffice opens as well; not text, of which a padded one has thousands of pages.
OFFICE = {
    ".doc", ".docm", ".docx", ".dotx", ".fodt", ".odg", ".odp", ".ods", ".odt", ".ppt", ".pptm", ".pptx", ".rtf",
    ".xls", ".xlsb", ".xlsm", ".xlsx", ".xltx",
}
# Seconds for all of it.
OFFICE_PATIENCE = 240
# How OLE and RTF begin on the page when LibreOffice takes them for text, as it does with what it can't read.
AS_TEXT = re.compile(r"ÐÏ|\{\\rtf")


def by(program):
    """Says that the running check opens its file with a library, which `run` cannot see."""
    USED.programs.add(program)


def run(*command):
    """Standard output of a program that must succeed."""
    by(str(command[0]))
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} refused it: {done.stderr.decode(errors='replace').strip()[:200]}")
    return done.stdout.decode(errors="replace")


def expect(fact, message):
    if not fact:
        raise AssertionError(message)


def libreoffice(paths):
    """Has one LibreOffice open the files and write each as PDF: which it refused, and why."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Their own names may be the same but for the folder or the extension.
        links = {path: folder / f"{number}{path.suffix}" for number, path in enumerate(paths)}
        for path, link in links.items():
            link.symlink_to(path.resolve())
        # NOTE: `timeout` ends the process group; `soffice` is a script, and its child would live on.
        code = subprocess.run([
            "timeout", "--kill-after=10", str(OFFICE_PATIENCE), "soffice", "--headless", "--norestore", "--nologo",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--convert-to", "pdf", "--outdir", folder / "out",
            *links.values(),
        ], capture_output=True, check=False).returncode
        why = "it took too long" if code == 124 else f"exit code {code}"
        refused = {}
        for path, link in links.items():
            pdf = folder / "out" / f"{link.stem}.pdf"
            if not pdf.is_file():
                refused[path] = f"LibreOffice did not open it ({why})"
                continue
            page = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, check=True).stdout.decode()
            if AS_TEXT.search(page):
                refused[path] = "LibreOffice opened it as plain text"
        return refused


def known(word):
    """A check by file(1)."""
    return lambda path: expect(word in run("file", "--brief", path), f"file(1) does not see `{word}`")


def library(name, opened):
    """A check by a library."""
    def check(path):
        by(name)
        opened(path)
    return check


def pdf(path):
    secret = path.name == "encrypted.pdf"

    def opened(*command, password):
        run(*command, *(password if secret else []), path)

    opened("qpdf", "--check", password=[f"--password={PASSWORD}"])
    opened("pdfinfo", password=["-upw", PASSWORD])
    opened("gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=nullpage", password=[f"-sPDFPassword={PASSWORD}"])
    command, word = PDF_FACTS.get(path.stem, (["pdfinfo"], "Pages:"))
    expect(secret or word in run(*command, path), f"{command[0]} does not say `{word}`")


# What a PDF is there for, and the program that sees it.
PDF_FACTS = {
    "signed": (["pdfsig"], "Signature is Valid"), "print-restricted": (["pdfinfo"], "print:no copy:no"),
    "portfolio": (["pdfdetach", "-list"], "2 embedded files"),
    "application-filled": (["grep", "-aF", "TAMA"], "TAMA HANAKO"),
    "archive-a1b": (["exiftool", "-XMP-pdfaid:all"], "Part                            : 1"),
    "archive-a3b": (["exiftool", "-XMP-pdfaid:all"], "Part                            : 3"),
    "plan-a1": (["pdfinfo"], "(A1)"), "cad-a3": (["pdfinfo"], "(A3)"), "scan-pages": (["pdfimages", "-list"], "ccitt"),
    "relative-links": (["grep", "-aF", "/F "], "(../../zumen/"), "typst-2-0": (["pdfinfo"], "2.0"),
    "browser-print": (["pdfinfo"], "Skia/PDF"),
}


def letter(path):
    """A Word document, by python-docx and by pandoc, unless it is in an encrypted package."""
    if encrypted_package(path):
        return
    by("python-docx")
    expect(docx.Document(str(path)).paragraphs, "no paragraphs")
    expect(run("pandoc", "--track-changes=all", "-f", "docx", "-t", "plain", path).strip(), "no text")


def slides(path):
    if encrypted_package(path):
        return
    by("python-pptx")
    expect(len(pptx.Presentation(str(path)).slides) == 2, "not two slides")


def encrypted_package(path):
    """Whether it is an OLE package, which then must be an encrypted one."""
    if not olefile.isOleFile(str(path)):
        return False
    by("olefile")
    package = olefile.OleFileIO(str(path))
    expect(package.exists("EncryptedPackage") and package.exists("EncryptionInfo"), "no EncryptedPackage")
    return True


def decrypted(path):
    """The file itself, or what it is without its password."""
    with path.open("rb") as file:
        document = msoffcrypto.OfficeFile(file)
        if not document.is_encrypted():
            return path.read_bytes()
        document.load_key(password=PASSWORD)
        plain = io.BytesIO()
        document.decrypt(plain)
        return plain.getvalue()


def old_office(stream, *reader):
    """An OLE file of Office, by its stream and by catdoc's readers."""
    def check(path):
        legacy(stream)(path)
        with tempfile.NamedTemporaryFile(suffix=path.suffix) as plain:
            plain.write(decrypted(path))
            plain.flush()
            expect(run(*reader, plain.name).strip(), f"{reader[0]} reads no text")
        if "macro" in path.name:
            harmless_macro("Sub Goukei", path)
    return check


def powerpoint(path):
    legacy("PowerPoint Document")(path)
    stream = olefile.OleFileIO(str(path)).openstream("PowerPoint Document").read()
    expect("自然教室".encode("utf-16-le") in stream, "no text of the slides")


def tablet_table(path):
    by("numbers-parser")
    rows = NumbersDocument(str(path)).sheets[0].tables[0].rows(values_only=True)
    expect(len(rows) >= 3 and all(rows[0]), "an empty table")


def opendocument_file(path):
    """An OpenDocument file by odfpy, or its parts if they are encrypted."""
    if "password" in path.name:
        expect("encryption-data" in run("unzip", "-p", path, "META-INF/manifest.xml"), "it is not encrypted")
        return
    by("odfpy")
    body = opendocument.load(str(path)).body
    expect(teletype.extractText(body).strip(), "no text")


def workbook(path):
    if encrypted_package(path):
        return
    run("unzip", "-tqq", path)
    by("openpyxl")
    expect(next(openpyxl.load_workbook(path).active.values), "an empty sheet")


def harmless_macro(name, path):
    """One procedure, and no module with code beside it."""
    by("oletools")
    codes = [code for *_, module, code in VBA_Parser(str(path)).extract_macros() if module != "xlm_macro.txt"]
    procedures = [code for code in codes if "Sub " in code]
    expect(len(procedures) == 1 and name in procedures[0], "not exactly the harmless macro")


def macros(name, *opened):
    """A file with the harmless macro `name` that each of `opened` can open."""
    def check(path):
        for program in opened:
            program(path)
        harmless_macro(name, path)
    return check


def legacy(stream):
    return library("olefile", lambda path: expect(olefile.OleFileIO(str(path)).exists(stream), f"no stream `{stream}`"))


def charset(path):
    """The character set that the name of a text file promises; the ones without a word are in Shift_JIS or UTF-8."""
    words = {
        "bom": "utf-8-sig", "sjis": "cp932", "pasted": "cp932", "utf16": "utf-16", "unicode": "utf-16",
        "eucjp": "euc-jp", "jis": "iso-2022-jp",
    }
    return next((words[word] for word in path.stem.split("-") if word in words), "utf-8")


def text(path):
    run("iconv", "-f", charset(path).removesuffix("-sig"), "-t", "utf-8", path)
    lines = list(csv.reader(io.StringIO(path.read_bytes().decode(charset(path)), newline="")))
    expect(len(lines) >= 3 and not any("\ufffd" in cell for line in lines for cell in line), "not the text it was")


def picture(path):
    by("Pillow")
    Image.open(path).load()
    run("identify", path)


def typed(kind):
    """A check by ExifTool."""
    return lambda path: expect(kind in run("exiftool", "-s3", "-FileType", path), f"ExifTool sees no {kind}")


def archive(path):
    if "zipcrypto" in path.name:
        run("unzip", "-tqq", "-P", PASSWORD, path)
    elif path.name.startswith(("list-aes", "plans", "office-set")):
        run("bsdtar", "--passphrase", PASSWORD, "-xOf", path)
    else:
        run("7z", "t", f"-p{PASSWORD}", path)


def unpacked(path):
    """A check by libarchive: every member can be read."""
    expect(run("bsdtar", "-tf", path), "an empty archive")
    run("bsdtar", "-xOf", path)


def page(path):
    run("gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=nullpage", path)


def plays(path):
    """A check by FFmpeg's decoders."""
    run("ffmpeg", "-v", "error", "-i", path, "-f", "null", "-")


def developed(path):
    run("dcraw_emu", "-T", "-Z", "-", path)


def autocad(path):
    by("dwg2geo")
    found = dwg2geo.convert_file(str(path))
    expect(found["feature_count"] == 5 and "敷地求積図" in found["geojson"], "not the four sides and the title")


def jw_cad(path):
    by("ezjww")
    expect(path.read_bytes().startswith(b"JwwData."), "no JwwData")
    expect(ezjww.read_document(str(path))["entity_counts"]["LINE"] == 4, "not the four sides")


def jw_cad_of_dos(path):
    expect(ezjww.detect_file_format(str(path)) == "jwc", "no signature of JWC")


def exchange(path):
    """A check by a parser of ISO 10303-21; the features of SFC are comments there."""
    content = path.read_bytes().decode("cp932")
    by("steputils")
    found = p21.loads(content)
    entities = sum(len(section.instances) for section in found.data)
    features = re.findall(r"/\*SXF\r\n#\d+ = (\w+)\(.*\)\r\nSXF\*/", content)
    expect(entities > 10 or "drawing_sheet_feature" in features, "neither entities nor features")


def model(path):
    content = path.read_bytes()
    known("glTF binary model")(path)
    expect(json.loads(content[20:20 + struct.unpack_from("<I", content, 12)[0]])["meshes"], "no meshes")


def survey(path):
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode("cp932"), newline="")))
    expect(sum(row[0] == "A01" for row in rows) == sum(row[0] == "B01" for row in rows) == 4, "not four points")


def earth(path):
    by("expat")
    expect(ElementTree.fromstring(zipfile.ZipFile(path).read("doc.kml")).tag.endswith("kml"), "no KML inside")


def signed(path):
    by("cryptography")
    expect(pkcs7.load_der_pkcs7_certificates(path.read_bytes()), "no certificate")


def mail(path):
    """A mail by Perl's Email::MIME, which must see its parts."""
    script = "local $/; open(F, shift); die 'no parts' if Email::MIME->new(<F>)->subparts < 2;"
    run("perl", "-MEmail::MIME", "-e", script, path)


def mailbox(path):
    with tempfile.TemporaryDirectory() as folder:
        expect(run("git", "mailsplit", f"-o{folder}", path).strip() == "2", "not two mails")


def saved_page(path):
    """A page saved as one mail, by Python's email, which must decode each part."""
    by("Python's email")
    parsed = email.message_from_bytes(path.read_bytes())
    expect(not parsed.defects and parsed.is_multipart(), "no parts")
    for part in parsed.walk():
        expect(part.is_multipart() or part.get_payload(decode=True), "an empty part")


def outlook(path):
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "mail.eml"
        run("msgconvert", "--outfile", made, path)
        expect("Subject: RE: " in made.read_text("utf-8", errors="replace"), "msgconvert sees no subject")


def database(path):
    known("SQLite 3.x database")(path)
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    expect(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), "it is damaged")
    expect(connection.execute("SELECT count(*) FROM 測定").fetchone()[0] == 2, "not two rows")


def shortcut(path):
    by("Python's configparser")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(path.read_text("ascii"))
    expect(parser["InternetShortcut"]["URL"].startswith("https://"), "no address")


def packets(word):
    """A check by pgpdump."""
    return lambda path: expect(word in run("pgpdump", path), f"pgpdump sees no `{word}`")


def begins(magic, least):
    """The only check of a file that merely begins as its format does."""
    return lambda path: expect(
        path.read_bytes().startswith(magic) and path.stat().st_size >= least, "not its first bytes")


def well_formed(path):
    run("xmllint", "--noout", path)


def document(path):
    known("XML")(path)
    well_formed(path)


CHECKS = {
    ".pdf": pdf, ".docx": letter, ".dotx": lambda path: run("pandoc", "-f", "docx", "-t", "plain", path),
    ".docm": macros("Sub Koushin"), ".pptx": slides, ".pptm": macros("Sub Tsugi"),
    ".ppt": powerpoint, ".xlsx": workbook, ".xltx": workbook,
    ".xlsb": lambda path: run("unzip", "-tqq", path), ".xlsm": macros("Sub Goukei", workbook),
    ".xls": old_office("Workbook", "xls2csv", "-d", "utf-8"),
    ".doc": old_office("WordDocument", "catdoc", "-d", "utf-8"), ".odt": opendocument_file, ".ods": opendocument_file,
    ".odp": opendocument_file, ".odg": opendocument_file, ".fodt": well_formed, ".numbers": tablet_table,
    ".rtf": known("Rich Text Format"), ".txt": text, ".csv": text, ".tsv": text, ".log": text, ".md": text,
    ".json": lambda path: run("jq", "-e", ".", path), ".xml": document,
    ".html": lambda path: run("xmllint", "--noout", "--html", path), ".mht": saved_page,
    ".eml": mail, ".mbox": mailbox, ".msg": outlook, ".url": shortcut, ".webloc": well_formed,
    ".epub": library("EbookLib", lambda path: expect(list(epub.read_epub(str(path)).get_items()), "an empty book")),
    ".xps": lambda path: run("xpstosvg", path, "/dev/null"), ".ps": page, ".eps": page,
    ".db": database, ".dbf": lambda path: expect(run("dbview", "-b", path).count(":\n") == 2, "not two rows"),
    ".ics": known("vCalendar"), ".vcf": known("vCard"), ".jpg": picture, ".png": picture, ".gif": picture,
    ".webp": typed("WEBP"), ".tif": picture, ".bmp": picture, ".heic": typed("HEIC"),
    ".svg": lambda path: run("xmllint", "--noout", path), ".zip": archive, ".7z": archive,
    ".lzh": lambda path: run("lha", "t", path), ".dxf": known("AutoCAD Drawing Exchange"), ".mp4": typed("MP4"),
    ".mov": typed("MOV"), ".mp3": typed("MP3"), ".p7m": signed, ".jfif": picture, ".jpe": picture,
    ".heif": typed("HEIC"), ".avif": lambda path: run("heif-info", path), ".jp2": plays,
    ".jxl": typed("JXL Codestream"), ".ico": picture, ".psd": picture, ".ai": page, ".dng": developed,
    ".cr2": typed("CR2"),
    ".nef": typed("NEF"), ".arw": typed("ARW"), ".dcm": typed("DICOM"), ".rar": unpacked, ".tar": unpacked,
    ".tgz": unpacked, ".bz2": unpacked, ".xz": unpacked, ".zst": unpacked, ".gz": lambda path: run("7z", "t", path),
    ".cab": archive, ".iso": archive, ".dwg": autocad, ".jww": jw_cad, ".jwc": jw_cad_of_dos, ".sfc": exchange,
    ".p21": exchange, ".step": exchange, ".ifc": exchange,
    ".igs": library("pyiges", lambda path: expect(pyiges.read(str(path)).items, "no entities")),
    ".stl": lambda path: run("assimp", "info", path), ".glb": model, ".plt": known("Hewlett-Packard Graphics Language"),
    ".sim": survey, ".kml": well_formed, ".gml": well_formed, ".gpx": well_formed, ".kmz": earth,
    ".geojson": lambda path: run("jq", "-e", ".features[1].geometry", path), ".shp": known("ESRI Shapefile"),
    ".wav": plays, ".amr": plays, ".flac": plays, ".ogg": plays, ".opus": typed("OPUS"), ".m4a": typed("M4A"),
    ".aac": known("AAC"), ".wma": typed("WMA"), ".wmv": typed("WMV"), ".avi": typed("AVI"), ".webm": typed("WEBM"),
    ".3gp": typed("3GP"), ".appledouble": known("AppleDouble"),
    ".p7s": signed, ".p7b": signed,
    ".pem": library("cryptography", lambda path: x509.load_pem_x509_certificate(path.read_bytes())),
    ".crt": library("cryptography", lambda path: x509.load_pem_x509_certificate(path.read_bytes())),
    ".cer": library("cryptography", lambda path: x509.load_der_x509_certificate(path.read_bytes())),
    ".csr": library("cryptography", lambda path: x509.load_pem_x509_csr(path.read_bytes())),
    ".p12": library("cryptography", lambda path: pkcs12.load_pkcs12(path.read_bytes(), PASSWORD.encode())),
    ".gpg": packets("Symmetrically Encrypted"), ".asc": packets("Signature Packet"),
    ".accdb": known("Microsoft Access Database"), ".xtx": well_formed, ".jtd": legacy("DocumentText"),
    ".pub": legacy("Quill/QuillSub/CONTENTS"), ".xdw": begins(b"\x60\x0e\x82\x01", 100),
    ".xbd": begins(b"\x60\x0e\x82\x01", 100),
}


def facts(entry, content):
    """The tags that the bytes themselves deserve."""
    head, found = content[:WINDOW], set()
    extension = Path(entry["filename"]).suffix.lower().lstrip(".")
    magic = OLE if extension in PACKED and "encrypted" in entry["tags"] else MAGIC.get(extension, b"")
    if not content.startswith(magic):
        found.add("mismatch")
    if re.search(rb"<\?(?:xml|xpacket|php|=)|<script", head, re.I):
        found.add("markup")
    elif b"<?" in head:
        found.add("markup-by-chance")
    if re.search(rb"\r?\n--", content):
        found.add("newline-dashes")
    if content.startswith(ZIP):
        members = zipfile.ZipFile(io.BytesIO(content)).infolist()
        found |= {"encrypted" for member in members if member.flag_bits & 1}
        found |= {"macro" for member in members if member.filename.endswith("vbaProject.bin")}
        if "META-INF/manifest.xml" in {member.filename for member in members}:
            listed = zipfile.ZipFile(io.BytesIO(content)).read("META-INF/manifest.xml")
            found |= {"encrypted"} if b"encryption-data" in listed else set()
    if content.startswith(OLE):
        package = olefile.OleFileIO(content)
        found |= {"macro"} if package.exists("_VBA_PROJECT_CUR") else set()
        office = any(package.exists(stream) for stream in ("EncryptedPackage", "WordDocument", "Workbook"))
        found |= {"encrypted"} if office and msoffcrypto.OfficeFile(io.BytesIO(content)).is_encrypted() else set()
    if content.startswith(SEVEN_ZIP) and AES_OF_7Z in content:
        found.add("encrypted")
    if b"/Encrypt" in content and content.startswith(b"%PDF-") or entry["file"].endswith(".gpg"):
        found.add("encrypted")
    return found


FACTS = {"mismatch", "markup", "markup-by-chance", "newline-dashes", "encrypted", "macro"}
# What compressed or encrypted bytes come to hold when they are drawn anew.
CHANCE = {"markup-by-chance", "newline-dashes"}


def trips(entry):
    """Which checks of a stricter plan the attachment should trip: `extension`, or a tag."""
    found = {tag for tag in entry["tags"] if tag in FACTS - {"newline-dashes"}}
    if Path(entry["filename"]).suffix.lower().lstrip(".") in REFUSED_EXTENSIONS:
        found.add("extension")
    return found


def names_a_machine(content):
    """A path of the machine that the file was made on, in the bytes or in the members of a ZIP."""
    parts = [content]
    if content.startswith(ZIP):
        book = zipfile.ZipFile(io.BytesIO(content))
        parts += [book.read(member) for member in book.infolist() if not member.flag_bits & 1]
    return next((found.group().decode() for part in parts if (found := MACHINE_PATHS.search(part))), None)


@dataclass
class File:
    """A file to check, and what came of it."""

    entry: dict
    path: Path
    # A rebuilt file may hold by chance what the one of the corpus does not; a padded one holds what it was padded with.
    made: str = "corpus"
    programs: set = field(default_factory=set)
    failure: str = ""

    @property
    def name(self):
        return self.entry["file"].removeprefix("files/")

    @property
    def format(self):
        return self.name.split(".", 1)[1] if ".tar." in self.name else self.path.suffix.lstrip(".")

    @property
    def header_only(self):
        return self.entry.get("fidelity") == "header-only"

    @property
    def digest(self):
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def check(self):
        """Opens it; one bad file must not hide the next one."""
        USED.programs = self.programs
        try:
            CHECKS[self.path.suffix](self.path)
            source = self.entry.get("source", "")
            strangers = [program for program in self.programs if PROJECTS.get(program, program) not in source]
            alone = self.header_only or self.entry["id"] in NO_OTHER_READER
            expect(strangers or alone, "no program that did not write it opens it; see `by`")
            self.check_bytes()
        except Exception as error:
            self.failure = " ".join(f"{error}".split()) or repr(error)

    def check_bytes(self):
        content = self.path.read_bytes()
        if self.made == "padded":
            size = int(self.path.parent.parent.name)
            expect(len(content) == size, f"{len(content)} bytes, not {size}")
            return
        tags = FACTS & set(self.entry["tags"])
        found = facts(self.entry, content)
        if self.made == "rebuilt":
            found = found - (CHANCE - tags) | (tags & {"markup-by-chance"})
        expect(found == tags, f"the bytes deserve the tags {sorted(found)}")
        expect(not names_a_machine(content), f"it names `{names_a_machine(content)}`")


def check_files(files):
    """Checks all of them, side by side, and has LibreOffice open the office files among them in one go."""
    office = [file for file in files if file.path.suffix in OFFICE and not {"encrypted"} & set(file.entry["tags"])
              and not file.header_only]
    with ThreadPoolExecutor() as pool:
        refused = pool.submit(libreoffice, [file.path for file in office])
        list(pool.map(File.check, files))
    for file in office:
        file.programs.add("soffice")
        file.failure = file.failure or refused.result().get(file.path, "")


def report(files):
    """A line for each format with the programs that opened it, a line for each failure; the number of formats."""
    formats = defaultdict(list)
    for file in files:
        formats[file.format].append(file)
    whole = {name for name, alike in formats.items() if not all(file.header_only for file in alike)}
    for name, alike in sorted(formats.items()):
        programs = ", ".join(sorted(set().union(*(file.programs for file in alike))))
        count = len({file.path for file in alike})
        print(f"{name:8} {count:3} files  {'' if name in whole else 'header-only: '}{programs}")
    print(f"{len(whole)} formats opened by programs that did not write them, {len(formats) - len(whole)} header-only")
    for file in files:
        if file.failure:
            print(f"FAILED {file.path.relative_to(file.path.parents[2])} ({file.entry['id']}): {file.failure}")
    return len(whole)


def check_control(entry):
    stored = (CORPUS / entry["file"]).read_text("ascii")
    content = disarm(stored)
    expect(armour(content) == stored, "the armour is not in its one form")
    expect(CONTROLS[entry["id"].removeprefix("control/")] == content, "controls.py makes other bytes")
    expect(hashlib.sha256(content).hexdigest() == entry["sha256"], "sha256 differs")


def check_manifest(entries):
    legit = {entry["id"]: entry for entry in entries if entry.get("intent", "legit") == "legit"}
    controls = [entry for entry in entries if entry["id"] not in legit]
    for entry in entries:
        expect(set(entry) <= KEYS, f"{entry['id']}: unknown keys {set(entry) - KEYS}")
        expect(re.fullmatch(r"[a-z0-9]+(/[a-z0-9-]+)", entry["id"]), f"`{entry['id']}` is not an id")
    expect(len({entry["id"] for entry in entries}) == len(entries), "an id is used twice")
    expect(all(entry["twin"] in legit for entry in controls), "a control without its twin")
    smoke = [entry for entry in entries if "smoke" in entry["tags"]]
    expect(12 <= len(smoke) <= 16, f"{len(smoke)} attachments are tagged smoke")
    expect(sum(entry in controls for entry in smoke) == 2, "not two controls are tagged smoke")
    used = {procedure for entry in legit.values() for procedure in entry["procedures"]}
    expect(used == SUBMISSIONS.keys() | OTHERS.keys(), f"procedures: {used ^ (SUBMISSIONS.keys() | OTHERS.keys())}")
    for procedure in SUBMISSIONS | OTHERS:
        receives = [entry for entry in legit.values() if procedure in entry["procedures"]]
        expect(any(trips(entry) for entry in receives), f"{procedure}: nothing that trips")
        expect(not all(trips(entry) for entry in receives), f"{procedure}: nothing that passes")
    shares = weights(entries)
    expect(all(entry["weight"] == shares[entry["id"]] for entry in legit.values()), "weights differ; run seal.py")
    listed = {entry["file"] for entry in entries}
    beside = {more["file"] for entry in entries for more in entry.get("also", [])}
    expect(beside <= listed, f"`also` files without an entry of their own: {sorted(beside - listed)}")
    found = [path for folder in ("files", "controls") for path in (CORPUS / folder).rglob("*") if path.is_file()]
    present = {str(path.relative_to(CORPUS)) for path in found}
    expect(listed == present, f"listed or present, not both: {sorted(listed ^ present)}")
    size = sum((CORPUS / name).stat().st_size for name in present)
    expect(size <= WEIGHT_LIMIT, f"{size} bytes are too many")
    print(f"{len(legit)} legitimate, {len(controls)} controls, {len(smoke)} smoke, {len(present)} files, {size} bytes")


def check_corpus(entries):
    """Manifest, files and controls: the number of failures."""
    failures = 0
    try:
        check_manifest(entries)
    except AssertionError as error:
        print(f"FAILED manifest.toml: {error}")
        failures += 1
    files = [File(entry, CORPUS / entry["file"]) for entry in entries if not entry.get("encoding")]
    check_files(files)
    for file in files:
        if file.digest != file.entry["sha256"]:
            file.failure = "sha256 differs; run seal.py if that is meant"
    formats = report(files)
    if formats < FORMATS_AT_LEAST:
        print(f"FAILED formats: at least {FORMATS_AT_LEAST} are promised")
        failures += 1
    for entry in entries:
        try:
            if entry.get("encoding"):
                check_control(entry)
        except AssertionError as error:
            print(f"FAILED {entry['id']}: {error}")
            failures += 1
    return failures + sum(bool(file.failure) for file in files)


def distinct(entries, folder, made):
    """The files of the corpus as they lie in another folder, by name, each once: entries may share one."""
    whole = [entry for entry in entries if "encoding" not in entry]
    files = [File(entry, folder / entry["file"].removeprefix("files/"), made) for entry in whole]
    return {file.name: file for file in reversed(files)}


def present(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def other_versions(out):
    """Which programs of a build are not those that made the corpus."""
    then, now = (set((folder / VERSIONS).read_text("utf-8").splitlines()) for folder in (BUILD, out))
    return sorted([f"-{line}" for line in then - now] + [f"+{line}" for line in now - then], key=lambda line: line[1:])


def check_rebuilt(entries, out):
    """A line for each file of a build: whether it is that of the corpus and, where not, whether it passes as well."""
    varying = tomllib.loads((BUILD / "varying.toml").read_text("utf-8"))
    files, made, others = distinct(entries, out, "rebuilt"), present(out) - {VERSIONS}, other_versions(out)
    strays = {name: "is in the manifest and was not made" for name in files.keys() - made}
    strays |= {name: "was made and is not in the manifest" for name in made - files.keys()}
    strays |= {name: "is in varying.toml and not in the manifest" for name in varying.keys() - files.keys()}
    differ = [file for name, file in files.items() if name in made and file.digest != file.entry["sha256"]]
    check_files(differ)
    for line in others:
        print(f"versions {line}")
    for name in sorted(made & files.keys()):
        file = files[name]
        reason = varying.get(name) or (others and "made by other versions")
        if file in differ and not reason:
            file.failure = file.failure or "the same programs made other bytes"
        if file not in differ:
            print(f"same     {name}")
        elif file.failure:
            print(f"FAILED   {name}: {file.failure}")
        else:
            print(f"varies   {name}: {reason}; it passes the same checks")
    for name, why in sorted(strays.items()):
        print(f"FAILED   {name}: {why}")
    print(f"{len(made) - len(differ)} files are the same, {len(differ)} are not; {len(others)} versions differ")
    return len(strays) + sum(bool(file.failure) for file in differ)


def check_padded(entries, folder):
    """Checks the files that lie padded below folders named for the bytes that each must have."""
    files = []
    for size in sorted(folder.iterdir(), key=lambda size: int(size.name)):
        padded, made = distinct(entries, size, "padded"), present(size)
        expect(made <= padded.keys(), f"not in the manifest: {made - padded.keys()}")
        files += [padded[name] for name in sorted(made)]
    expect(files, f"nothing lies below {folder}")
    check_files(files)
    report(files)
    return sum(bool(file.failure) for file in files)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--trips", action="store_true", help="show which attachment should trip what")
    what.add_argument("--rebuilt", metavar="OUT", type=Path, help="compare what build.sh made in OUT with the corpus")
    what.add_argument("--padded", metavar="DIR", type=Path, help="check the padded files DIR/BYTES/FORMAT/NAME")
    arguments = parser.parse_args()
    entries = tomllib.loads((CORPUS / "manifest.toml").read_text("utf-8"))["attachment"]
    if arguments.trips:
        for entry in entries:
            if entry.get("intent") != "control":
                print(f"{entry['id']:28} {' '.join(sorted(trips(entry))) or '-'}")
        return 0
    if arguments.rebuilt:
        failures = check_rebuilt(entries, arguments.rebuilt)
    elif arguments.padded:
        failures = check_padded(entries, arguments.padded)
    else:
        failures = check_corpus(entries)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
