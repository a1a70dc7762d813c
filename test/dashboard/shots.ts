/** @module Takes a screenshot of each screen, to look at: `node test/dashboard/shots.ts <folder> [pattern]`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fixtureApi, startBed } from "./browser.ts";
import { FULL } from "./fixtures.ts";
import { ALL_ROLES, SCREENS } from "./screens.ts";

const [folder = "/tmp/shots", pattern = "", ...looks] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const bed = await startBed();
for (const { name, path, ready, before } of SCREENS) {
  if (!name.includes(pattern)) continue;
  for (const look of looks.length === 0 ? ["light"] : looks) {
    const page = await bed.open(path, fixtureApi(FULL, ALL_ROLES), { width: look === "phone" ? 390 : 1_240, dark: look === "dark" });
    await page.getByText(ready).first().waitFor();
    await before?.(page);
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
    await page.close();
  }
}
process.stdout.write(`${bed.errors.join("\n")}\n`);
await bed.stop();
