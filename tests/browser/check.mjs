// Opens HTML reports in Chromium as people do, and prints what it saw as JSON.
// Usage: node check.mjs MODULES BROWSER PICTURES FILE...   (PICTURES: a folder for screenshots, or - for none)
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, browserPath, pictures, ...files] = process.argv.slice(2);
const require = createRequire(resolve(modules) + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

async function open(url, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const seen = { requests: [], errors: [] };
  page.on("request", (request) => request.url() !== url && seen.requests.push(request.url()));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.errors.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("dialog", (dialog) => (seen.errors.push("dialog: " + dialog.message()), dialog.dismiss()));
  await page.goto(url, { waitUntil: "load", timeout: 120_000 });
  return { context, page, seen };
}

const count = (page) => page.locator("#list tbody tr").count();
const status = (page) => page.locator("#count").innerText();
const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
const violations = async (page) => {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((it) => `${it.id}: ${it.nodes.length} such as ${it.nodes[0].html.slice(0, 200)}`);
};
// How long an input takes until the page is drawn anew.
const timed = (page, name, value) => page.evaluate(async ([name, value]) => {
  const field = document.querySelector("form.filter").elements[name];
  const start = performance.now();
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.getElementById("list").getBoundingClientRect();
  return performance.now() - start;
}, [name, value]);

async function check(file) {
  const url = pathToFileURL(resolve(file)).href;
  const picture = (page, name) =>
    pictures === "-" ? null : page.screenshot({ path: `${pictures}/${basename(file, ".html")}-${name}.png` });
  const told = { file: basename(file) };
  const { context, page, seen } = await open(url, { viewport: { width: 1280, height: 900 }, colorScheme: "light" });
  told.lang = await page.evaluate(() => document.documentElement.lang);
  told.title = await page.title();
  told.headings = await page.locator("h1, h2").allInnerTexts();
  told.light = { violations: await violations(page), wide: await wide(page) };
  await picture(page, "light");
  told.all = { rows: await count(page), status: await status(page) };
  told.millis = {};
  // Filters.
  told.millis.class = await timed(page, "class", "0");
  told.byClass = { rows: await count(page), status: await status(page), first: await page.locator("#list tbody tr").first().innerText() };
  told.millis.text = await timed(page, "text", "zzz-no-such-case");
  told.none = { rows: await count(page), status: await status(page) };
  await page.locator("form.filter button[type=reset]").click();
  await page.waitForFunction((all) => document.getElementById("count").innerText === all, told.all.status);
  told.millis.search = await timed(page, "text", "pdf");
  told.byText = { rows: await count(page), status: await status(page) };
  await page.locator("form.filter button[type=reset]").click();
  await page.waitForFunction((all) => document.getElementById("count").innerText === all, told.all.status);
  // Sorting, with the keyboard.
  const ids = async () => (await page.locator("#list tbody tr td:nth-child(2)").allInnerTexts()).slice(0, 5);
  const head = page.locator("th[data-sort=id] button");
  await head.focus();
  await page.keyboard.press("Enter");
  told.up = { ids: await ids(), sort: await page.locator("th[data-sort=id]").getAttribute("aria-sort") };
  told.millis.sort = await page.evaluate(() => {
    const start = performance.now();
    document.querySelector("th[data-sort=id] button").click();
    document.getElementById("list").getBoundingClientRect();
    return performance.now() - start;
  });
  told.down = { ids: await ids(), sort: await page.locator("th[data-sort=id]").getAttribute("aria-sort") };
  // A cell of a table chooses its cases.
  const cell = page.locator("[data-grid=name] td.bad button").first();
  if (await cell.count()) {
    const [kind, text] = await cell.evaluate((it) => [it.closest("td").dataset.kind, it.innerText]);
    await cell.click();
    told.cell = { kind, text, rows: await count(page), status: await status(page) };
  }
  told.seen = seen;
  await context.close();

  const dark = await open(url, { viewport: { width: 1280, height: 900 }, colorScheme: "dark" });
  told.dark = { violations: await violations(dark.page) };
  await picture(dark.page, "dark");
  await dark.context.close();

  const phone = await open(url, { viewport: { width: 390, height: 844 }, isMobile: true, colorScheme: "light" });
  told.phone = { violations: await violations(phone.page), wide: await wide(phone.page) };
  await picture(phone.page, "phone");
  await phone.context.close();

  const plain = await open(url, { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false });
  told.plain = {
    text: await plain.page.locator("#main").evaluate((it) => it.textContent),
    cells: await plain.page.locator("[data-grid] td[data-kind]").count(),
    form: await plain.page.locator("form.filter").isVisible(),
    seen: plain.seen,
  };
  if (pictures !== "-") {
    await plain.page.emulateMedia({ media: "print" });
    await plain.page.pdf({ path: `${pictures}/${basename(file, ".html")}.pdf`, preferCSSPageSize: true });
  }
  await plain.context.close();
  return told;
}

const all = [];
try {
  for (const file of files) all.push(await check(file));
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(all));
