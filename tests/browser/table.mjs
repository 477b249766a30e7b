// Opens pages without a script in Chromium as people do, and prints what it saw as JSON.
import { look, open, picture, print, run } from "./chromium.mjs";

await run(async (file, browser) => {
  const told = { requests: [], errors: [], violations: [], wide: [] };
  for (const view of ["light", "dark", "phone"]) {
    const { context, page, seen } = await open(browser, file, view);
    await picture(page, file, view);
    told.rows = await page.locator("tbody tr").count();
    const { violations, wide } = await look(page);
    told.violations.push(...violations.map((it) => `${view} ${it}`));
    if (wide) told.wide.push(view);
    told.requests.push(...seen.requests);
    told.errors.push(...seen.errors);
    if (view === "light") await print(page, file);
    await context.close();
  }
  return told;
});
