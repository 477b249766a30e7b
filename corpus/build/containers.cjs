// Writes the files whose writers are JavaScript libraries: `node containers.cjs OUT`, with NODE_PATH at their folder.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const CFB = require("cfb");
const XLSX = require("@e965/xlsx");
const NUMBERS = require("@e965/xlsx/dist/xlsx.zahl");

const OUT = process.argv[2];
const DAY = new Date("2024-05-27T10:00:00+09:00");

function write(name, content) {
  const target = path.join(OUT, name);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, content);
}

/** A day's measurements of a large emitter, as Excel's binary workbook. */
function binaryWorkbook() {
  const rows = [["日付", "紙類 kg", "厨芥類 kg", "計 kg"]];
  for (let day = 1; day <= 30; day += 1) {
    rows.push([`4月${day}日`, 400 + ((day * 37) % 90), 300 + ((day * 53) % 70), null]);
  }
  const sheet = XLSX.utils.aoa_to_sheet(rows);
  const book = XLSX.utils.book_new();
  XLSX.utils.book_append_sheet(book, sheet, "4月");
  book.Props = { Title: "排出量集計", CreatedDate: DAY };
  write("xlsb/emissions.xlsb", XLSX.write(book, { type: "buffer", bookType: "xlsb", compression: true }));
}

/** A table from a school's tablet. */
function tabletTable() {
  const rows = [["学級", "児童数", "引率"], ["5年1組", 34, 2], ["5年2組", 33, 2], ["5年3組", 34, 2]];
  const book = XLSX.utils.book_new();
  XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows), "学級別人数");
  const options = { type: "buffer", bookType: "numbers", numbers: NUMBERS, compression: true };
  write("numbers/class-sizes.numbers", XLSX.write(book, options));
}

/** A mail that a consumer dragged out of Outlook. */
async function outlookMessage() {
  const { Attachment, Email } = await import(require.resolve("@tutao/oxmsg"));
  const text = "解約の件でご連絡いたします。\r\n初回500円は定期購入の条件です。解約金 29,800円をお支払いください。\r\n";
  const terms = new TextEncoder().encode("定期購入規約(抜粋)\r\n第8条 4回の受取りを条件とする。\r\n");
  const mail = new Email(false, false)
    .subject("RE: 解約の件")
    .sender("support@shop.example", "架空ショップ サポート")
    .to("taro@mail.example", "川崎 太郎")
    .bodyText(text)
    .bodyHtml(`<html><body><p>${text.replaceAll("\r\n", "<br>")}</p></body></html>`)
    .sentOn(DAY)
    .receivedOn(DAY)
    .attach(new Attachment(terms, "定期購入規約.txt"));
  write("msg/cancellation.msg", Buffer.from(mail.msg()));
}

/** A compound file with the given streams, and the one with which SheetJS marks what it writes. */
function compound(clsid, streams) {
  const book = CFB.utils.cfb_new({ root: "Root Entry", CLSID: clsid });
  for (const [name, content] of Object.entries(streams)) {
    CFB.utils.cfb_add(book, `/${name}`, content);
  }
  return CFB.write(book, { type: "buffer" });
}

/**
 * Ichitaro: the stream `DocumentText` as it has been observed: the marks `SsmgV.01` and `TextV.01`, the number of
 * UTF-16BE units, and the text. Without the streams of layout no Ichitaro would show it.
 */
function ichitaro(name, lines) {
  const text = `\u001f${lines.join("\n")}\n`;
  const units = Buffer.from(text, "utf16le").swap16();
  const head = Buffer.alloc(32);
  head.write("SsmgV.01", 0, "latin1");
  head.write("TextV.01", 20, "latin1");
  head.writeUInt32BE(text.length, 28);
  write(name, compound("0".repeat(32), { DocumentText: Buffer.concat([head, units]) }));
}

/** Publisher: its class id and the names of its streams, each with only its first bytes. */
function publisher() {
  const quill = Buffer.alloc(512);
  quill.write("CHNKINK ", 0, "latin1");
  const clsid = "0112020000000000c000000000000046";
  write("pub/flyer.pub", compound(clsid, { Contents: Buffer.alloc(512), "Quill/QuillSub/CONTENTS": quill }));
}

async function main() {
  binaryWorkbook();
  tabletTable();
  await outlookMessage();
  ichitaro("jtd/traffic-class.jtd", [
    "交通安全教室 回答書", "学校名 川崎市立(架空)小学校", "希望日 6月12日 3年生92人、4年生88人", "雨天の場合 体育館で実施",
  ]);
  ichitaro("jtd/pool-inspection.jtd", [
    "学校水泳プール 排(環)水口点検結果報告", "学校名 川崎市立(架空)中学校", "蓋の固定 異常なし", "吸い込み防止金具 異常なし",
  ]);
  publisher();
}

main();
