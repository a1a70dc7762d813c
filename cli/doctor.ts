/** @module `doctor`: looks at everything a run needs, and gets Dapr when asked. */
import { type Check, doctor, ensureDapr } from "./dapr/index.ts";
import type { Lifetime } from "./lifetime.ts";
import { say } from "./output.ts";
import { EXIT } from "./problem.ts";

const NAME_CHARS = 14;

/** Runs the command. Resolves with the exit code: failed when something stands in the way of a run. */
export async function doctorCommand(options: { readonly install: boolean }, lifetime: Lifetime): Promise<number> {
  if (options.install) {
    const binaries = await lifetime.orEnd(ensureDapr(say));
    say(`Dapr ${binaries.version} is in ${binaries.source}`);
  }
  const checks = await lifetime.orEnd(doctor());
  for (const check of checks) sayCheck(check);
  const bad = checks.filter((check) => !check.ok);
  say(bad.length === 0 ? "everything is there" : `${bad.map((check) => check.name).join(", ")}: see above`);
  return bad.length === 0 ? EXIT.ok : EXIT.failed;
}

function sayCheck(check: Check): void {
  say(`${check.ok ? "ok  " : "BAD "} ${check.name.padEnd(NAME_CHARS)}${check.detail}`);
  if (check.fix !== undefined) say(`     ${" ".repeat(NAME_CHARS)}What to do: ${check.fix}`);
}
