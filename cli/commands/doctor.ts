/** @module `doctor`: checks everything a run needs, and builds Dapr when asked. */
import type { Command } from "commander";
import { type Check, doctor as checks, ensureDapr } from "../dapr/index.ts";
import { messageOf } from "../dapr/problem.ts";
import type { Lifetime } from "../run/lifetime.ts";
import { complain, oneLine, say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { paint } from "../text/table.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

interface DoctorOptions extends RemoteOptions {
  readonly install: boolean;
}

const NAME_CHARS = 14;

/** Adds the command. */
export function doctor(parent: Command, context: Context): void {
  const command = remote(parent.command("doctor"))
    .description("check everything that a run needs and the running system, and say what to do")
    .option("--install", "build Dapr if it is missing", false);
  examples(
    command,
    [
      ["troupe doctor", ""],
      ["troupe doctor --install", "build Dapr now instead of at the first start"],
      ["troupe doctor --json", ""],
    ],
    ["1 when `troupe up` would not start, or an actor of the running system is broken."],
  );
  command.action(async (options: DoctorOptions) => context.done(await runDoctor(options, context.lifetime)));
}

/** Resolves with the exit code: failed when a run would not start. */
async function runDoctor(options: DoctorOptions, lifetime: Lifetime): Promise<number> {
  if (options.install) {
    const binaries = await lifetime.orEnd(ensureDapr(options.json ? complain : say));
    if (!options.json) say(`Dapr ${binaries.version} is in ${binaries.source}`);
  }
  const found = [...(await lifetime.orEnd(checks())), await checkActors(options, lifetime)];
  const bad = found.filter((check) => !check.ok);
  if (options.json) {
    say(JSON.stringify({ ok: bad.length === 0, checks: found }));
  } else {
    for (const check of found) sayCheck(check);
    say(bad.length === 0 ? "everything is there" : `${bad.map((check) => check.name).join(", ")}: see above`);
  }
  return bad.length === 0 ? EXIT.ok : EXIT.failed;
}

/** Asks the running system, if there is one, for actors whose journals are broken. */
async function checkActors(options: DoctorOptions, lifetime: Lifetime): Promise<Check> {
  const name = "actors";
  try {
    const client = await clientOf({ ...options, patience: 0 }, lifetime);
    const { entries } = await client.broken();
    if (entries.length === 0) return { name, ok: true, detail: `none is broken in the system at ${client.url}` };
    return {
      name,
      ok: false,
      detail: `broken: ${entries.map(({ actor, message }) => `${oneLine(actor)} (${oneLine(message)})`).join("; ")}`,
      fix: "Restore the store, or let each begin anew: troupe set-aside <actor> --reason <text>.",
    };
  } catch (error) {
    lifetime.signal.throwIfAborted();
    return { name, ok: true, detail: `no running system was asked: ${oneLine(messageOf(error))}` };
  }
}

function sayCheck(check: Check): void {
  const mark = paint(check.ok ? { text: "ok  ", colour: "green" } : { text: "BAD ", colour: "red" });
  say(`${mark} ${check.name.padEnd(NAME_CHARS)}${check.detail}`);
  if (check.fix !== undefined) say(`     ${" ".repeat(NAME_CHARS)}What to do: ${check.fix}`);
}
