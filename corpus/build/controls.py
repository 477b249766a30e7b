"""Writes the controls, armoured: `controls.py` (run it in any folder; it writes corpus/controls/*.b64).

A control is the smallest harmless form of something that an edge must block. It is put together in memory and only its
armour is written (base64 of each byte XOR 0x5A, lines of 76), so that no virus scanner quarantines a checkout.
The pieces below are kept apart for the same reason.
"""

import base64
import io
import zipfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "controls"
KEY = 0x5A

EICAR = "".join(["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE", "!$H+H*"]).encode()
PHP = "".join(["<", "?php ", "phpinfo", "();", " ?>\n"]).encode()
# One transparent pixel.
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
SVG = "".join([
    '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="60">', "<", "script>", "alert", "(1)", "</", "script>",
    '<circle cx="30" cy="30" r="22"/></svg>\n',
]).encode()
JSP = "".join(["<", "%= java.lang.", "Runtime.", "getRuntime", "().availableProcessors() %", ">\n"]).encode()


def archive():
    """A ZIP with the test file in it, stored, as an unpacked scanner sees it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as book:
        book.writestr(zipfile.ZipInfo("readme.txt", (2024, 5, 27, 10, 0, 0)), EICAR)
    return target.getvalue()


CONTROLS = {
    "eicar-text": EICAR,
    "eicar-zip": archive(),
    "php-as-photo": PHP,
    "gif-php-polyglot": GIF + PHP,
    "svg-script": SVG,
    "jsp-oneliner": JSP,
    "htaccess": "".join(["AddType ", "application/", "x-httpd-php", " .jpg\n"]).encode(),
    "path-traversal": "ご意見はとくにありません。\r\n".encode(),
}


def armour(content):
    """The form that is stored."""
    return base64.encodebytes(bytes(byte ^ KEY for byte in content)).decode("ascii")


def disarm(text):
    """The bytes of a stored control, for memory only."""
    return bytes(byte ^ KEY for byte in base64.b64decode(text))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in CONTROLS.items():
        (FOLDER / f"{name}.b64").write_text(armour(content), encoding="ascii")
