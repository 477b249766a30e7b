// Opens HTML reports in Chromium as people do, and prints what it saw as JSON.
import { look, open, picture, print, run } from "./chromium.mjs";

const count = (page) => page.locator("#list tbody tr").count();
const status = (page) => page.locator("#count").innerText();
// How long an input takes until the page is drawn anew.
const timed = (page, name, value) => page.evaluate(async ([name, value]) => {
  const field = document.querySelector("form.filter").elements[name];
  const start = performance.now();
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.getElementById("list").getBoundingClientRect();
  return performance.now() - start;
}, [name, value]);

await run(async (file, browser) => {
  const told = {};
  const { context, page, seen } = await open(browser, file, "light");
  told.lang = await page.evaluate(() => document.documentElement.lang);
  told.title = await page.title();
  told.headings = await page.locator("h1, h2").allInnerTexts();
  told.light = await look(page);
  await picture(page, file, "light");
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

  for (const view of ["dark", "phone"]) {
    const { context, page } = await open(browser, file, view);
    told[view] = await look(page);
    await picture(page, file, view);
    await context.close();
  }

  const plain = await open(browser, file, "plain");
  told.plain = {
    text: await plain.page.locator("#main").evaluate((it) => it.textContent),
    cells: await plain.page.locator("[data-grid] td[data-kind]").count(),
    form: await plain.page.locator("form.filter").isVisible(),
    seen: plain.seen,
  };
  await print(plain.page, file);
  await plain.context.close();
  return told;
});
