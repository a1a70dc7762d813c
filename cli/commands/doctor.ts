/** @module `doctor`: checks everything a run needs, and builds Dapr when asked. */
import type { Command } from "commander";
import { type Check, doctor as checks, ensureDapr } from "../dapr/index.ts";
import type { Lifetime } from "../run/lifetime.ts";
import { complain, say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { paint } from "../text/table.ts";
import { type Context, examples, jsonOption } from "./common.ts";

interface DoctorOptions {
  readonly install: boolean;
  readonly json: boolean;
}

const NAME_CHARS = 14;

/** Adds the command. */
export function doctor(parent: Command, context: Context): void {
  const command = parent
    .command("doctor")
    .description("check everything that a run needs, and say what to do about what is missing")
    .option("--install", "build Dapr if it is missing", false)
    .addOption(jsonOption());
  examples(
    command,
    [
      ["troupe doctor", ""],
      ["troupe doctor --install", "build Dapr now instead of at the first start"],
      ["troupe doctor --json", ""],
    ],
    ["1 when `troupe up` would not start."],
  );
  command.action(async (options: DoctorOptions) => context.done(await runDoctor(options, context.lifetime)));
}

/** Resolves with the exit code: failed when a run would not start. */
async function runDoctor(options: DoctorOptions, lifetime: Lifetime): Promise<number> {
  if (options.install) {
    const binaries = await lifetime.orEnd(ensureDapr(options.json ? complain : say));
    if (!options.json) say(`Dapr ${binaries.version} is in ${binaries.source}`);
  }
  const found = await lifetime.orEnd(checks());
  const bad = found.filter((check) => !check.ok);
  if (options.json) {
    say(JSON.stringify({ ok: bad.length === 0, checks: found }));
  } else {
    for (const check of found) sayCheck(check);
    say(bad.length === 0 ? "everything is there" : `${bad.map((check) => check.name).join(", ")}: see above`);
  }
  return bad.length === 0 ? EXIT.ok : EXIT.failed;
}

function sayCheck(check: Check): void {
  const mark = paint(check.ok ? { text: "ok  ", colour: "green" } : { text: "BAD ", colour: "red" });
  say(`${mark} ${check.name.padEnd(NAME_CHARS)}${check.detail}`);
  if (check.fix !== undefined) say(`     ${" ".repeat(NAME_CHARS)}What to do: ${check.fix}`);
}
