/** @module Takes a screenshot of each screen, to look at: `node test/dashboard/shots.ts <folder> [pattern] [light|dark|phone ...]`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fixtureApi, startBed } from "./browser.ts";
import { FULL } from "./fixtures.ts";
import { ALL_ROLES, SCREENS } from "./screens.ts";

const PHONE_PX = 390;
const WIDE_PX = 1_440;
const SETTLED_MS = 400;

const [folder = "shots", pattern = "", ...looks] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const bed = await startBed();
for (const { name, path, ready, before } of SCREENS.filter((one) => one.name.includes(pattern))) {
  for (const look of looks.length === 0 ? ["light"] : looks) {
    const width = look === "phone" ? PHONE_PX : WIDE_PX;
    const page = await bed.open(path, fixtureApi(FULL, ALL_ROLES), { width, dark: look === "dark" });
    await page.getByText(ready).first().waitFor();
    await before?.(page);
    await page.waitForTimeout(SETTLED_MS);
    await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
    await page.close();
  }
}
process.stdout.write(`${bed.errors.join("\n")}\n`);
await bed.stop();
