"""Brings `sha256` and `weight` in corpus/manifest.toml up to date with the files and the procedures: `seal.py`."""

import hashlib
import re
import tomllib
from pathlib import Path

from controls import disarm
from procedures import weights

CORPUS = Path(__file__).resolve().parent.parent


def digest(entry):
    """SHA-256 of an entry's file, decoded if it is a control and not padded."""
    path = CORPUS / entry["file"]
    content = disarm(path.read_text("ascii")) if entry.get("encoding") else path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def main():
    path = CORPUS / "manifest.toml"
    text = path.read_text("utf-8")
    attachments = tomllib.loads(text)["attachment"]
    shares = weights(attachments)
    head, *blocks = text.split("[[attachment]]\n")
    for index, (entry, block) in enumerate(zip(attachments, blocks, strict=True)):
        block = re.sub(r'^sha256 = ".*"$', f'sha256 = "{digest(entry)}"', block, flags=re.M)
        if entry["id"] in shares:
            block = re.sub(r"^weight = .*$", f"weight = {shares[entry['id']]}", block, flags=re.M)
        blocks[index] = block
    path.write_text("[[attachment]]\n".join([head, *blocks]), "utf-8")


if __name__ == "__main__":
    main()
