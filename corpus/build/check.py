"""Checks the built-in corpus: `check.py`, with the Python of requirements.txt; `--trips` shows what trips what.

Each file is opened by a program that did not write it. The tags that state a fact about the bytes are compared with the
bytes. Beside the packages of build.sh it needs: file poppler-utils lhasa libarchive-tools jq unzip.
"""

import csv
import hashlib
import io
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import docx
import olefile
import openpyxl
import pptx
from cryptography.hazmat.primitives.serialization import pkcs7
from oletools.olevba import VBA_Parser
from PIL import Image

from controls import CONTROLS, armour, disarm
from procedures import OTHERS, SUBMISSIONS, weights

CORPUS = Path(__file__).resolve().parent.parent
PASSWORD = "Kawasaki2024"
WEIGHT_LIMIT = 1_500_000
WINDOW = 128 * 1024
KEYS = {
    "id", "file", "sha256", "filename", "intent", "twin", "encoding", "procedures", "tags", "weight", "source",
    "fields", "also", "empty", "size", "axes", "fictional", "fidelity",
}
# What a cautious edge knows of an extension: the bytes that such a file starts with.
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MAGIC = {
    "pdf": b"%PDF-", "docx": ZIP, "pptx": ZIP, "xlsm": ZIP, "odt": ZIP, "ods": ZIP, "zip": ZIP, "doc": OLE, "xls": OLE,
    "jpg": b"\xff\xd8\xff", "png": b"\x89PNG", "gif": b"GIF8", "tif": b"II*\0", "bmp": b"BM", "webp": b"RIFF",
    "rtf": b"{\\rtf", "7z": b"7z\xbc\xaf", "mp3": b"ID3",
}
REFUSED_EXTENSIONS = {"xlsm", "7z", "lzh", "heic", "dxf"}
MACHINE_PATHS = re.compile(rb"/(?:home|root|tmp|var|work|usr)/[A-Za-z0-9._-]+")


def run(*command):
    """Standard output of a program that must succeed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} refused it: {done.stderr.decode(errors='replace').strip()[:200]}")
    return done.stdout.decode(errors="replace")


def expect(fact, message):
    if not fact:
        raise AssertionError(message)


def known(word):
    """A check by file(1)."""
    return lambda path: expect(word in run("file", "--brief", path), f"file(1) does not see `{word}`")


def pdf(path):
    secret = path.name == "encrypted.pdf"

    def opened(*command, password):
        run(*command, *(password if secret else []), path)

    opened("qpdf", "--check", password=[f"--password={PASSWORD}"])
    opened("pdfinfo", password=["-upw", PASSWORD])
    opened("gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=nullpage", password=[f"-sPDFPassword={PASSWORD}"])


def workbook(path):
    if olefile.isOleFile(str(path)):
        expect(olefile.OleFileIO(str(path)).exists("EncryptedPackage"), "no EncryptedPackage")
        return
    run("unzip", "-tqq", path)
    expect(next(openpyxl.load_workbook(path).active.values), "an empty sheet")


def macros(path):
    workbook(path)
    modules = [code for *_, code in VBA_Parser(str(path)).extract_macros()]
    expect(len(modules) == 1 and "Sub Goukei" in modules[0], "not exactly the harmless macro")


def legacy(stream):
    return lambda path: expect(olefile.OleFileIO(str(path)).exists(stream), f"no stream `{stream}`")


def text(path):
    charset = "utf-8-sig" if "bom" in path.name else "cp932"
    lines = list(csv.reader(io.StringIO(path.read_bytes().decode(charset), newline="")))
    expect(len(lines) >= 3 and not any("\ufffd" in cell for line in lines for cell in line), "not the text it was")


def picture(path):
    Image.open(path).load()
    run("identify", path)


def typed(kind):
    """A check by ExifTool."""
    return lambda path: expect(run("exiftool", "-s3", "-FileType", path).strip() == kind, f"ExifTool sees no {kind}")


def archive(path):
    if "zipcrypto" in path.name:
        run("unzip", "-tqq", "-P", PASSWORD, path)
    elif path.name.startswith(("list-aes", "plans")):
        run("bsdtar", "--passphrase", PASSWORD, "-xOf", path)
    else:
        run("7z", "t", path)


def signed(path):
    expect(pkcs7.load_der_pkcs7_certificates(path.read_bytes()), "no certificate")


CHECKS = {
    ".pdf": pdf, ".docx": lambda path: expect(docx.Document(str(path)).paragraphs, "no paragraphs"),
    ".pptx": lambda path: expect(len(pptx.Presentation(str(path)).slides) == 2, "not two slides"), ".xlsx": workbook,
    ".xlsm": macros, ".xls": legacy("Workbook"), ".doc": legacy("WordDocument"), ".odt": known("OpenDocument Text"),
    ".ods": known("OpenDocument Spreadsheet"), ".rtf": known("Rich Text Format"), ".txt": text, ".csv": text,
    ".json": lambda path: run("jq", "-e", ".", path), ".xml": ElementTree.parse,
    ".eml": known("news or mail"),
    ".ics": known("vCalendar"), ".vcf": known("vCard"), ".jpg": picture, ".png": picture, ".gif": picture,
    ".webp": typed("WEBP"), ".tif": picture, ".bmp": picture, ".heic": typed("HEIC"),
    ".svg": lambda path: run("xmllint", "--noout", path), ".zip": archive, ".7z": archive,
    ".lzh": lambda path: run("lha", "t", path), ".dxf": known("AutoCAD Drawing Exchange"), ".mp4": typed("MP4"),
    ".mov": typed("MOV"), ".mp3": typed("MP3"), ".p7m": signed,
}


def facts(entry, content):
    """The tags that the bytes themselves deserve."""
    head, found = content[:WINDOW], set()
    extension = Path(entry["filename"]).suffix.lower().lstrip(".")
    magic = (OLE if "encrypted" in entry["tags"] else ZIP) if extension == "xlsx" else MAGIC.get(extension, b"")
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
    if b"/Encrypt" in content and content.startswith(b"%PDF-") or "EncryptedPackage".encode("utf-16-le") in content:
        found.add("encrypted")
    return found


FACTS = {"mismatch", "markup", "markup-by-chance", "newline-dashes", "encrypted", "macro"}


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


def check_file(entry):
    path = CORPUS / entry["file"]
    content = path.read_bytes()
    expect(hashlib.sha256(content).hexdigest() == entry["sha256"], "sha256 differs; run seal.py if that is meant")
    CHECKS[path.suffix](path)
    found = facts(entry, content)
    expect(found == FACTS & set(entry["tags"]), f"the bytes deserve the tags {sorted(found)}")
    expect(not names_a_machine(content), f"it names `{names_a_machine(content)}`")


def check_control(entry):
    stored = (CORPUS / entry["file"]).read_text("ascii")
    content = disarm(stored)
    expect(armour(content) == stored, "the armour is not in its one form")
    expect(CONTROLS[entry["id"].removeprefix("control/")] == content, "controls.py makes other bytes")
    expect(hashlib.sha256(content).hexdigest() == entry["sha256"], "sha256 differs")


def check_manifest(manifest):
    entries = manifest["attachment"]
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
    for procedure in SUBMISSIONS:
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
    formats = {Path(entry["file"]).suffix for entry in legit.values()}
    print(f"{len(legit)} legitimate, {len(controls)} controls, {len(smoke)} smoke, {len(formats)} formats, "
          f"{len(present)} files, {size} bytes")


def main():
    manifest = tomllib.loads((CORPUS / "manifest.toml").read_text("utf-8"))
    failures = 0
    if "--trips" in sys.argv:
        for entry in manifest["attachment"]:
            if entry.get("intent") != "control":
                print(f"{entry['id']:28} {' '.join(sorted(trips(entry))) or '-'}")
        return 0
    try:
        check_manifest(manifest)
    except AssertionError as error:
        print(f"manifest.toml: {error}")
        failures += 1
    for entry in manifest["attachment"]:
        try:
            (check_control if entry.get("encoding") else check_file)(entry)
        except Exception as error:  # one bad file must not hide the next one
            print(f"{entry['id']}: {error}")
            failures += 1
    return 1 if failures else 0


sys.exit(main())
