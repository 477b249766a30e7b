// Opens pages without a script in Chromium as people do, and prints what it saw as JSON.
// Usage: node table.mjs MODULES BROWSER PICTURES FILE...   (PICTURES: a folder for screenshots, or - for none)
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
const views = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light" },
};
const told = [];
for (const file of files) {
  const url = pathToFileURL(resolve(file)).href;
  const of = { file: basename(file), requests: [], errors: [], violations: [], wide: [] };
  for (const [name, options] of Object.entries(views)) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on("request", (request) => request.url() !== url && of.requests.push(request.url()));
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && of.errors.push(message.text()));
    page.on("pageerror", (error) => of.errors.push(String(error)));
    page.on("dialog", (dialog) => (of.errors.push("dialog: " + dialog.message()), dialog.dismiss()));
    await page.goto(url, { waitUntil: "load", timeout: 120_000 });
    if (pictures !== "-") await page.screenshot({ path: `${pictures}/${basename(file, ".html")}-${name}.png` });
    of.rows = await page.locator("tbody tr").count();
    if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) of.wide.push(name);
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    of.violations.push(...found.violations.map((it) => `${name} ${it.id}: ${it.nodes.length} such as ${it.nodes[0].html.slice(0, 200)}`));
    await context.close();
  }
  told.push(of);
}
await browser.close();
console.log(JSON.stringify(told));
