"""Writes the controls, armoured: `controls.py` (run it in any folder; it writes corpus/controls/*.b64).

A control is the smallest harmless form of something that an edge must block. It is put together in memory and only its
armour is written (base64 of each byte XOR 0x5A, lines of 76), so that no virus scanner quarantines a checkout.
The pieces below are kept apart for the same reason. `controls.py --digests` writes nothing and prints the SHA-256 of
each control.
"""

import base64
import hashlib
import io
import re
import struct
import sys
import zipfile
from pathlib import Path

CORPUS = Path(__file__).resolve().parent.parent
FOLDER = CORPUS / "controls"
KEY = 0x5A
CLOCK = (2024, 5, 27, 10, 0, 0)

EICAR = "".join(["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE", "!$H+H*"]).encode()
PHP = "".join(["<", "?php ", "phpinfo", "();", " ?>\n"]).encode()
SCRIPT = "".join(["<", "script>", "alert", "(1)", "</", "script>"])
# One transparent pixel, and one white one.
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////"
    "////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AR//Z"
)
TEXT = "ご意見はとくにありません。\r\n".encode()


def twin(name):
    """The bytes of a legitimate file of the corpus."""
    return (CORPUS / "files" / name).read_bytes()


def archive(name, content):
    """A ZIP with one file in it, stored, as a scanner that does not inflate sees it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as book:
        book.writestr(zipfile.ZipInfo(name, CLOCK), content)
    return target.getvalue()


def zip_with(content, name, member):
    """A ZIP with one more member, stored; what was there stays as it is, names in no known charset too."""
    one = archive(name, member)
    end, last = content.rindex(b"PK\5\6"), one.rindex(b"PK\5\6")
    count, _, start = struct.unpack_from("<HII", content, end + 10)
    local_size = struct.unpack_from("<I", one, last + 16)[0]
    entry = bytearray(one[local_size:last])
    struct.pack_into("<I", entry, 42, start)
    directory = content[start:end] + entry
    trailer = struct.pack("<4s4xHHIIH", b"PK\5\6", count + 1, count + 1, len(directory), start + local_size, 0)
    return content[:start] + one[:local_size] + directory + trailer


def office_with(content, edits, added=()):
    """An OOXML package with some members edited and others added, all stored: the bytes depend on no zlib.

    `edits`: member, what is replaced in it, by what; `added`: name and bytes.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as book:
        members = {info.filename: source.read(info) for info in source.infolist()} | dict(added)
        for name, before, after in edits:
            assert members[name].count(before) == 1, f"{name}: not one `{before}`"
            members[name] = members[name].replace(before, after)
        for name, member in members.items():
            book.writestr(zipfile.ZipInfo(name, CLOCK), member)
    return target.getvalue()


def eicar_docx():
    """A DOCX with the test file embedded as an object, related and typed as Word does."""
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/oleObject"
    relation = b'<Relationship Id="rIdObject" Type="%s" Target="embeddings/oleObject1.bin"/>' % kind
    default = b'<Default Extension="bin" ContentType="application/vnd.openxmlformats-officedocument.oleObject"/>'
    edits = [
        ("word/_rels/document.xml.rels", b"</Relationships>", relation + b"</Relationships>"),
        ("[Content_Types].xml", b"</Types>", default + b"</Types>"),
    ]
    return office_with(twin("docx/donation-form.docx"), edits, [("word/embeddings/oleObject1.bin", EICAR)])


def doctype(root):
    """A document type with an external entity `x`. Whoever reads it reads nothing: it is an empty device."""
    return "".join(["<", f"!DOCTYPE {root} [<", "!ENTITY x ", "SYSTEM ", '"file:', '///dev/null">]>'])


def xxe_docx():
    """A DOCX whose text has an external entity in it."""
    edits = [
        ("word/document.xml", b"<w:document ", doctype("w:document").encode() + b"<w:document "),
        ("word/document.xml", b"</w:t></w:r></w:p><w:sectPr", b"&x;</w:t></w:r></w:p><w:sectPr"),
    ]
    return office_with(twin("docx/donation-form.docx"), edits)


def next_object(content):
    """The first object number that a PDF does not use."""
    return int(re.findall(rb"/Size (\d+)", content)[-1])


def pdf_with(content, catalog, *objects):
    """A PDF with an incremental update (ISO 32000-1, 7.5.6): more keys in its catalog, and more objects."""
    start = int(re.findall(rb"startxref\s+(\d+)", content)[-1])
    size = next_object(content)
    root = int(re.findall(rb"/Root (\d+) 0 R", content)[-1])
    keys = re.search(rb"\n%d 0 obj\s*<<(.*?)>>\s*endobj" % root, content, re.S).group(1)
    out, table = bytearray(content), []
    for number, body in [(root, b"<<%s%s>>" % (keys, catalog)), *enumerate(objects, size)]:
        table.append((number, len(out)))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    update = len(out)
    out += b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % entry for entry in table)
    out += b"trailer\n<< /Size %d /Root %d 0 R /Prev %d >>\n" % (size + len(objects), root, start)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % update)


def eicar_pdf():
    """A PDF with the test file attached."""
    content = twin("pdf/form-fields.pdf")
    stream = b"<< /Type /EmbeddedFile /Length %d >>\nstream\n%s\nendstream" % (len(EICAR), EICAR)
    file = b"<< /Type /Filespec /F (readme.txt) /EF << /F %d 0 R >> >>" % next_object(content)
    names = b"/Names << /EmbeddedFiles << /Names [(readme.txt) %d 0 R] >> >>\n" % (next_object(content) + 1)
    return pdf_with(content, names, stream, file)


def launch_pdf():
    """A PDF that starts a program when it is opened; there is none of that name."""
    action = b"".join([b"/OpenAction << /S /", b"Launch", b" /F (wafcanary-no-such-program.exe) >>\n"])
    return pdf_with(twin("pdf/form-fields.pdf"), action)


def jpeg_with_comment():
    """A photo with a PHP tag in its comment (ITU-T T.81, B.2.4.5), behind the JFIF header."""
    photo = twin("jpeg/pool-drain.jpg")
    return photo[:20] + b"\xff\xfe" + struct.pack(">H", len(PHP) + 2) + PHP + photo[20:]


def program():
    """The headers of a Windows program without a section: the loader refuses it."""
    code = bytes.fromhex("0e1fba0e00b409cd21b8014ccd21")
    stub = b"".join([code, b"This program cannot be ", b"run in DOS mode", b".\r\r\n$"])
    dos = struct.pack("<2s58xI", b"MZ", 0x80) + stub.ljust(0x40, b"\0")
    return dos + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 0, 0, 0, 0, 0, 0x0102)


def shortcut():
    """A Windows shortcut that leads nowhere: its header alone, [MS-SHLLINK] 2.1."""
    guid = bytes.fromhex("0114020000000000c000000000000046")
    return struct.pack("<I", 0x4C) + guid + bytes(0x4C - 20)


def svg(inside, before="", attribute=""):
    """A small drawing with something in it."""
    return (
        f'{before}<svg xmlns="http://www.w3.org/2000/svg" width="160" height="60"{attribute}>{inside}'
        '<circle cx="30" cy="30" r="22"/></svg>\n'
    ).encode()


CONTROLS = {
    "eicar-text": EICAR,
    "eicar-zip": archive("readme.txt", EICAR),
    "eicar-zip-nested": archive("書類.zip", archive("readme.txt", EICAR)),
    "eicar-docx": eicar_docx(),
    "eicar-pdf": eicar_pdf(),
    "php-as-photo": PHP,
    "php-before-jpg": PHP,
    "php-after-jpg": PHP,
    "php-phtml": PHP,
    "php-phar": "".join(["<", "?php ", "__HALT_", "COMPILER(); ?", ">\r\n"]).encode(),
    "gif-php-polyglot": GIF + PHP,
    "jpeg-php-comment": jpeg_with_comment(),
    "jsp-oneliner": "".join(
        ["<", "%= java.lang.", "Runtime.", "getRuntime", "().availableProcessors() %", ">\n"]
    ).encode(),
    "aspx-oneliner": "".join(
        ["<", '%@ Page Language="C#" %', "><", "%= System.", "Environment.", "ProcessorCount %", ">\n"]
    ).encode(),
    "shtml-include": "".join(["<", "!--#", "echo ", 'var="DATE_LOCAL" --', ">\n"]).encode(),
    "htaccess": "".join(["AddType ", "application/", "x-httpd-php", " .jpg\n"]).encode(),
    "user-ini": "".join(["auto_", "prepend_", "file=photo", ".jpg\n"]).encode(),
    "web-config": "".join([
        '<?xml version="1.0"?><configuration><system.webServer><handlers><add name="photo" path="*.jpg" verb="*" ',
        'modules="Isapi', 'Module" script', 'Processor="%windir%\\system32\\inetsrv\\', "asp", '.dll"/></handlers>',
        "</system.webServer></configuration>\n",
    ]).encode(),
    "html-script": f'<!doctype html><meta charset="utf-8"><title>案内図</title>{SCRIPT}\n'.encode(),
    "svg-script": svg(SCRIPT),
    "svg-onload": svg("", attribute="".join([" on", "load", '="alert', '(1)"'])),
    "svg-xxe": svg("<text>&x;</text>", before=doctype("svg")),
    "xml-xxe": f'<?xml version="1.0"?>\n{doctype("届出")}<届出>&x;</届出>\n'.encode(),
    "docx-xxe": xxe_docx(),
    "zip-slip": zip_with(
        twin("zip/photos-utf8.zip"), "".join(["../", "../", "etc/cron", ".d/wafcanary"]), b"# Nothing is to be done.\n"
    ),
    "pdf-launch": launch_pdf(),
    "exe-as-pdf": program(),
    "exe-after-pdf": program(),
    "exe-reversed": program(),
    "bat": "".join(["@echo", " off\r\n", "ver\r\n"]).encode(),
    "lnk": shortcut(),
    "mvg-as-png": "".join([
        "push graphic-", "context\nviewbox 0 0 160 60\nfill 'url(", 'https://127.0.0.1/a.png"', "|", 'echo "ok)', "'\n",
        "pop graphic-", "context\n",
    ]).encode(),
    "path-traversal": TEXT,
    "path-traversal-backslash": TEXT,
    "name-encoded-nul": JPEG,
    "name-raw-nul": JPEG,
    "name-semicolon-asp": JPEG,
    "name-sql-condition": JPEG,
    "name-sql-statement": JPEG,
    "name-shell-substitution": JPEG,
    "name-shell-backticks": JPEG,
    "name-shell-separator": JPEG,
    "name-script": JPEG,
    "name-jndi": JPEG,
    "name-template": JPEG,
}


def armour(content):
    """The form that is stored."""
    return base64.encodebytes(bytes(byte ^ KEY for byte in content)).decode("ascii")


def disarm(text):
    """The bytes of a stored control, for memory only."""
    return bytes(byte ^ KEY for byte in base64.b64decode(text))


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, content in CONTROLS.items():
        if "--digests" in sys.argv:
            print(hashlib.sha256(content).hexdigest(), f"control/{name}")
        else:
            (FOLDER / f"{name}.b64").write_text(armour(content), encoding="ascii")


if __name__ == "__main__":
    main()
