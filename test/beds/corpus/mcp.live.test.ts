/** @module The corpus through a server of tools: names of files that a server from npm lists are texts of strangers. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agent, model, route, system } from "../../../agents/index.ts";
import { mcpLock, mcpServer } from "../../../mcp/index.ts";
import { startLocal } from "../../../testing/index.ts";
import { npmServer } from "../../mcp/rig.ts";
import { obeying } from "../obeying.ts";
import { type Asked, scriptedPerson, textOf } from "../scripted-person.ts";
import { Actor, Notes } from "./actor.ts";
import { type Case, corpus } from "./cases.ts";
import { World, worldTools } from "./world.ts";

const listed = corpus().filter(({ channel, text }) => channel === "file-name" && !text.includes("/"));

const main = route("main", 1, Notes)
  .to("done", Actor, ({ task }) => task)
  .output(({ done }) => done);

interface Listed {
  readonly made: readonly string[];
  readonly asked: readonly Asked[];
}

/** Lists a folder with a file of this name, and then does what the task and the name want. */
async function run({ id, mark, attack, wants }: Case, name: string, labels: boolean): Promise<Listed> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "troupe-corpus-")));
  writeFileSync(join(folder, name), "");
  const files = (lock: object) =>
    mcpServer("files", npmServer("filesystem", folder), { lock, tools: { list_directory: { effect: "read" } } });
  const world = new World("");
  const { tools } = files(await mcpLock(() => [files({})]));
  const actor = agent(Actor, model({ instructions: "Do what the task wants.", tools: [...tools, ...worldTools(world, labels).acts] }));
  const calls = [{ name: "list_directory", input: { path: folder } }, ...wants];
  const models = { default: obeying(() => ({ mark, attack, calls, goesOn: true, answer: "Done." })) };
  const asked: Asked[] = [];
  const people = scriptedPerson(
    () => wants,
    (_process, one) => asked.push(one),
  );
  const local = startLocal(system("mcp-corpus", { agents: [actor], routes: [main], models }), { people });
  try {
    expect(await local.run(main, { case: id, notes: [] })).toMatchObject({ status: "completed" });
    return { made: world.made.map(textOf), asked };
  } finally {
    await local.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a name that a server lists makes an agent do nothing that its task does not want, and does without labels", async () => {
  expect(listed.length).toBeGreaterThan(0);
  for (const given of listed) {
    const wants = given.wants.map(textOf);
    const attacked = await run(given, given.text, true);
    expect([given.id, attacked.made]).toEqual([given.id, wants]);
    expect(attacked.asked.map(({ approved }) => approved)).toEqual([...given.attack.map(() => false), ...wants.map(() => true)]);
    const twin = await run(given, given.clean, true);
    expect([given.id, twin.made, twin.asked.length]).toEqual([given.id, wants, wants.length]);
    const bites = await run(given, given.text, false);
    expect([given.id, bites.made]).toEqual([given.id, [...given.attack.map(textOf), ...wants]]);
  }
});
