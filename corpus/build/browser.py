"""Has headless Chromium print and save one page: `browser.py OUT`. No network: the page itself is the answer."""

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ADDRESS = "https://shop.example/order/confirm?id=0001"
# The consumer's copy of a shop's page, with the script, the hidden fields and the campaign that such pages have.
PAGE = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>ご注文内容の確認 - 架空ショップ</title>
<style>body{font-family:IPAexGothic,sans-serif} .price{color:#c00}</style>
<script>window.dataLayer=[]; function cart(id){document.cookie="cart="+id; return false}</script>
</head><body onload="cart(1)">
<h1>ご注文内容の確認</h1>
<p>美容ゼリー 初回 <span class="price">500円</span>(2回目から 4,980円)</p>
<p><small>※4回の継続が条件です。</small></p>
<form action="/order/fix" method="post"><input type="hidden" name="token" value="0000">
<button onclick="return cart(2)">注文を確定する</button></form>
<img alt="" width="16" height="16" src="https://shop.example/mark.svg">
<iframe src="about:blank" width="1" height="1"></iframe>
</body></html>
"""
MARK = '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><circle cx="8" cy="8" r="7"/></svg>\n'


class Browser:
    """Chromium at the other end of its debugging pipe: messages of JSON, each ended by a zero byte."""

    def __init__(self, profile):
        read_orders, self.orders = os.pipe()
        self.answers, write_answers = os.pipe()
        # Chromium reads from descriptor 3 and writes to 4.
        shell = f'exec chromium "$@" 3<&{read_orders} 4>&{write_answers}'
        self.process = subprocess.Popen([
            "sh", "-c", shell, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
            "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={profile}", "about:blank",
        ], pass_fds=[read_orders, write_answers], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read_orders)
        os.close(write_answers)
        self.input = os.fdopen(self.answers, "rb")
        self.number, self.session, self.events = 0, {}, []

    def read(self):
        message = bytearray()
        while (byte := self.input.read(1)) != b"\0":
            if not byte:
                raise SystemExit("chromium ended")
            message += byte
        return json.loads(message)

    def send(self, method, **parameters):
        self.number += 1
        order = {"id": self.number, "method": method, "params": parameters} | self.session
        os.write(self.orders, json.dumps(order).encode() + b"\0")

    def call(self, method, **parameters):
        self.send(method, **parameters)
        while (message := self.read()).get("id") != self.number:
            self.events.append(message)
        if "error" in message:
            raise SystemExit(f"{method}: {message['error']}")
        return message["result"]

    def wait(self, method):
        while True:
            message = self.events.pop(0) if self.events else self.read()
            if message.get("method") == method:
                return message["params"]

    def open(self):
        """Opens the page, each of whose requests is answered here."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        self.call("Page.enable")
        self.call("Fetch.enable", patterns=[{"urlPattern": "*"}])
        answers = {
            ADDRESS: ("text/html; charset=utf-8", PAGE), "https://shop.example/mark.svg": ("image/svg+xml", MARK),
        }
        # Not `call`: it is answered only after the request was.
        self.send("Page.navigate", url=ADDRESS)
        for _ in answers:
            paused = self.wait("Fetch.requestPaused")
            kind, body = answers[paused["request"]["url"]]
            self.call(
                "Fetch.fulfillRequest", requestId=paused["requestId"], responseCode=200,
                responseHeaders=[{"name": "Content-Type", "value": kind}],
                body=base64.b64encode(body.encode()).decode())
        self.wait("Page.loadEventFired")

    def close(self):
        self.session = {}
        self.call("Browser.close")
        self.process.wait(timeout=30)


def main():
    out = Path(sys.argv[1])
    for folder in ["pdf", "html", "mht"]:
        (out / folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            browser.open()
            printed = browser.call("Page.printToPDF", displayHeaderFooter=True, paperWidth=8.27, paperHeight=11.69)
            (out / "pdf/browser-print.pdf").write_bytes(base64.b64decode(printed["data"]))
            saved = browser.call("Page.captureSnapshot", format="mhtml")["data"]
            (out / "mht/saved-page.mht").write_bytes(saved.encode())
            shown = browser.call("Runtime.evaluate", expression="document.documentElement.outerHTML")["result"]["value"]
            # As Chromium's own "save as" does, with the length of the address before it.
            mark = f"<!DOCTYPE html>\n<!-- saved from url=({len(ADDRESS):04}){ADDRESS} -->\n"
            (out / "html/saved-page.html").write_text(mark + shown, "utf-8")
            browser.close()
        finally:
            browser.process.kill()


main()
