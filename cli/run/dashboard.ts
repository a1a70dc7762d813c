/** @module The dashboard of a clone is built when a system starts, beside it. The package holds it built. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Both a clone and the package have it here; only a clone has the program that builds it. */
const HOME = dirname(fileURLToPath(new URL("../../components", import.meta.url)));
const BUILDER = join(HOME, "pack", "dashboard.ts");

/**
 * Builds the dashboard where it can be built and is not, in a process of its own. Resolves with what went wrong, or undefined. Ends with
 * the signal.
 */
export async function buildDashboard(signal: AbortSignal): Promise<string | undefined> {
  if (!existsSync(BUILDER)) return undefined;
  const child = spawn(process.execPath, [BUILDER], { stdio: ["ignore", "ignore", "pipe"], signal });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const failed = await new Promise<boolean>((resolve) => {
    child.once("error", (error) => {
      complaint ||= error.message;
      resolve(true);
    });
    child.once("close", (code) => resolve(code !== 0));
  });
  return failed && !signal.aborted ? `the dashboard was not built: ${complaint.trim()}` : undefined;
}
