"""Writes files that only begin as their format does: `headers.py OUT`. No writer of these formats exists on Debian.

Each has the container and the first bytes that are publicly known of it, and no more: the program that it is named
after would not open it. An edge that looks at first bytes and extensions cannot tell it from a whole one.
"""

import sys
from pathlib import Path

# What DocuWorks 10 writes first: a block of 14 bytes that holds, among others, the generation 0x0A.
DOCUWORKS = bytes.fromhex("82010a800300c0138304010d0a01")
# The root, the name spaces and the catalogue of an e-Tax file, without the forms of the return itself.
TAX_RETURN = """<?xml version="1.0" encoding="UTF-8"?>
<DATA id="DATA" xmlns="http://xml.e-tax.nta.go.jp/XSD/hojin" xmlns:gen="http://xml.e-tax.nta.go.jp/XSD/general" \
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <RHO0012 id="RHO0012" VR="23.0.0">
    <CATALOG id="CATALOG"><rdf:RDF><rdf:description about="#REPORT"/></rdf:RDF></CATALOG>
    <CONTENTS id="CONTENTS">
      <IT VR="1.4" id="IT"><NOZEISHA_NM ID="NOZEISHA_NM">株式会社かわさき製作所(架空)</NOZEISHA_NM></IT>
    </CONTENTS>
  </RHO0012>
</DATA>
"""


def block(tag, *parts):
    """A tag, a length in the manner of BER, and the content."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def docuworks(pages):
    """DocuWorks: the first block, and per page one whose image is empty."""
    numbers = range(1, pages + 1)
    return block(0x60, DOCUWORKS) + b"".join(
        block(0x61, block(0x64, block(0x81, number.to_bytes(4, "big")), block(0x82, block(0x86, bytes(400)))))
        for number in numbers
    )


def access():
    """Access 2007: the first page of 4 KiB, of which only the signature and the version are filled in."""
    return (b"\0\1\0\0Standard ACE DB\0\2\0\0\0").ljust(4096, b"\0")


def main():
    out = Path(sys.argv[1])
    contents = {
        "xdw/site-survey.xdw": docuworks(1), "xbd/fire-papers.xbd": docuworks(3), "accdb/ledger.accdb": access(),
        "xtx/tax-return.xtx": TAX_RETURN.encode(),
    }
    for name, content in contents.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)


main()
