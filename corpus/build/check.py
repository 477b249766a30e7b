"""Checks the built-in corpus, with the Python of requirements.txt and the packages of packages.txt. See README.md.

Each file is opened by a program that did not write it. The tags that state a fact about the bytes are compared with the
bytes.
"""

import argparse
import csv
import hashlib
import io
import re
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
import olefile
import openpyxl
import pptx
from cryptography.hazmat.primitives.serialization import pkcs7
from oletools.olevba import VBA_Parser
from PIL import Image

from controls import CONTROLS, armour, disarm
from procedures import OTHERS, SUBMISSIONS, weights

BUILD = Path(__file__).resolve().parent
CORPUS = BUILD.parent
# What build.sh calls its list of programs.
VERSIONS = "versions.txt"
FORMATS_AT_LEAST = 33
PASSWORD = "Kawasaki2024"
WEIGHT_LIMIT = 1_500_000
WINDOW = 128 * 1024
KEYS = {
    "id", "file", "sha256", "filename", "intent", "twin", "encoding", "procedures", "tags", "weight", "source",
    "fields", "also", "empty", "size", "axes",
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


# What the running check has opened its file with.
USED = threading.local()
# How an entry's `source` calls a program that is also one of ours, where its command has another name.
PROJECTS = {
    "7z": "7-Zip", "bsdtar": "libarchive", "ffprobe": "FFmpeg", "gs": "Ghostscript", "identify": "ImageMagick",
    "soffice": "LibreOffice", "xmllint": "libxml2", "unzip": "Info-ZIP UnZip",
}
# What LibreOffice opens as well; not text, of which a padded one has thousands of pages.
OFFICE = {
    ".doc", ".docm", ".docx", ".dotx", ".fodt", ".odg", ".odp", ".ods", ".odt", ".ppt", ".pptm", ".pptx", ".rtf", ".xls",
    ".xlsb", ".xlsm", ".xlsx", ".xltx",
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


def pdf(path):
    secret = path.name == "encrypted.pdf"

    def opened(*command, password):
        run(*command, *(password if secret else []), path)

    opened("qpdf", "--check", password=[f"--password={PASSWORD}"])
    opened("pdfinfo", password=["-upw", PASSWORD])
    opened("gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=nullpage", password=[f"-sPDFPassword={PASSWORD}"])


def workbook(path):
    if olefile.isOleFile(str(path)):
        by("olefile")
        expect(olefile.OleFileIO(str(path)).exists("EncryptedPackage"), "no EncryptedPackage")
        return
    run("unzip", "-tqq", path)
    by("openpyxl")
    expect(next(openpyxl.load_workbook(path).active.values), "an empty sheet")


def macros(path):
    workbook(path)
    by("oletools")
    modules = [code for *_, code in VBA_Parser(str(path)).extract_macros()]
    expect(len(modules) == 1 and "Sub Goukei" in modules[0], "not exactly the harmless macro")


def word(path):
    by("python-docx")
    expect(docx.Document(str(path)).paragraphs, "no paragraphs")


def slides(path):
    by("python-pptx")
    expect(len(pptx.Presentation(str(path)).slides) == 2, "not two slides")


def legacy(stream):
    def check(path):
        by("olefile")
        expect(olefile.OleFileIO(str(path)).exists(stream), f"no stream `{stream}`")

    return check


def text(path):
    charset = "utf-8-sig" if "bom" in path.name else "cp932"
    run("iconv", "-f", charset.removesuffix("-sig"), "-t", "utf-16", path)
    lines = list(csv.reader(io.StringIO(path.read_bytes().decode(charset), newline="")))
    expect(len(lines) >= 3 and not any("\ufffd" in cell for line in lines for cell in line), "not the text it was")


def picture(path):
    by("Pillow")
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


def markup(path):
    by("expat")
    ElementTree.parse(path)


def signed(path):
    by("cryptography")
    expect(pkcs7.load_der_pkcs7_certificates(path.read_bytes()), "no certificate")


CHECKS = {
    ".pdf": pdf, ".docx": word, ".pptx": slides, ".xlsx": workbook,
    ".xlsm": macros, ".xls": legacy("Workbook"), ".doc": legacy("WordDocument"), ".odt": known("OpenDocument Text"),
    ".ods": known("OpenDocument Spreadsheet"), ".rtf": known("Rich Text Format"), ".txt": text, ".csv": text,
    ".json": lambda path: run("jq", "-e", ".", path), ".xml": markup,
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
            expect(strangers or self.header_only, "no program that did not write it opens it; see `by`")
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
