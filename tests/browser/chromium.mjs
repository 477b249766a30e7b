// Chromium, driven without a network, and what every page is looked at for.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// The command line: MODULES BROWSER PICTURES FILE...   (PICTURES: a folder for screenshots, or - for none)
const [modules, executablePath, pictures, ...files] = process.argv.slice(2);
const require = createRequire(resolve(modules) + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const views = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, colorScheme: "light" },
  plain: { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false },
};

// Looks at each file by `check(file, browser)`, and prints what it tells as JSON.
export async function run(check) {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  try {
    const told = [];
    for (const file of files) told.push({ file: basename(file), ...(await check(file, browser)) });
    process.stdout.write(JSON.stringify(told));
  } finally {
    await browser.close();
  }
}

// Opens a file; `seen` collects what it asks of the network and what it complains of.
export async function open(browser, file, view) {
  const url = pathToFileURL(resolve(file)).href;
  const context = await browser.newContext(views[view]);
  const page = await context.newPage();
  const seen = { requests: [], errors: [] };
  page.on("request", (request) => request.url() !== url && seen.requests.push(request.url()));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.errors.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("dialog", (dialog) => (seen.errors.push("dialog: " + dialog.message()), dialog.dismiss()));
  await page.goto(url, { waitUntil: "load", timeout: 120_000 });
  return { context, page, seen };
}

// What axe finds wrong, and whether the page is wider than the window.
export async function look(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const violations = found.violations.map((it) => `${it.id}: ${it.nodes.length} such as ${it.nodes[0].html.slice(0, 200)}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  return { violations, wide };
}

export async function picture(page, file, name) {
  if (pictures !== "-") await page.screenshot({ path: `${pictures}/${basename(file, ".html")}-${name}.png` });
}

// The page on paper.
export async function print(page, file) {
  if (pictures === "-") return;
  await page.emulateMedia({ media: "print" });
  await page.pdf({ path: `${pictures}/${basename(file, ".html")}.pdf`, preferCSSPageSize: true });
}
