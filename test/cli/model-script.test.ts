/** @module Which model answers a run: a real one where one is set, otherwise the script beside the system. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type RunModel, startAppModel, startRunModel } from "../../cli/run/model-script.ts";
import { eachInFolder } from "./command.ts";

let dir = "";
eachInFolder((made) => (dir = made));
let model: RunModel | undefined;
const told: string[] = [];
afterEach(async () => {
  await model?.stop();
  model = undefined;
  told.length = 0;
});

async function start(env: NodeJS.ProcessEnv, file?: string): Promise<Readonly<Record<string, string>>> {
  model = await startRunModel({ beside: join(dir, "system.ts"), file, env, tell: (line) => told.push(line) });
  return model.env;
}

const script = (text = "rules: [{ reply: { text: hello } }]", name = "model.script.yaml"): Promise<void> =>
  writeFile(join(dir, name), text);

async function ask(env: Readonly<Record<string, string>>, key = env["OPENAI_API_KEY"]): Promise<Response> {
  return fetch(`${env["OPENAI_BASE_URL"]}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "fast", messages: [{ role: "user", content: "hi" }] }),
  });
}

test("without a key the script beside the system answers, on loopback and to its own key only, and one line says so", async () => {
  await script();
  const env = await start({ OPENAI_API_KEY: "" });
  expect(env["OPENAI_BASE_URL"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
  expect(await (await ask(env)).json()).toMatchObject({ model: "scripted", choices: [{ message: { content: "hello" } }] });
  expect((await ask(env, "other")).status).toBe(401);
  expect(told).toEqual([`No OPENAI_API_KEY: the scripted model answers, from ${join(dir, "model.script.yaml")}.`]);
});

test("ends with the run", async () => {
  await script();
  const env = await start({});
  await model?.stop();
  await expect(ask(env)).rejects.toThrow("fetch failed");
});

test.each([{ OPENAI_API_KEY: "sk-1" }, { OPENAI_BASE_URL: "http://127.0.0.1:11434/v1" }])("with %j the real model answers", async (env) => {
  await script();
  expect(await start(env)).toEqual({});
  expect(told).toEqual([]);
});

test("without a script nothing is started", async () => {
  expect(await start({})).toEqual({});
  expect(told).toEqual([]);
});

test("a script that the command names answers also where a key is set", async () => {
  await script("rules: [{ reply: { text: named } }]", "other.yaml");
  const env = await start({ OPENAI_API_KEY: "sk-1" }, join(dir, "other.yaml"));
  expect(await (await ask(env)).json()).toMatchObject({ choices: [{ message: { content: "named" } }] });
  expect(told).toEqual([`The scripted model answers, from ${join(dir, "other.yaml")}.`]);
});

test("an app uses only a script that was named, and only where no provider is set", async () => {
  await script();
  const named = { TROUPE_MODEL_SCRIPT: join(dir, "model.script.yaml") };
  const env: NodeJS.ProcessEnv = { ...named };
  model = await startAppModel(env, (line) => told.push(line));
  expect(env["OPENAI_BASE_URL"]).toBe(model.env["OPENAI_BASE_URL"]);
  expect(await (await ask(model.env)).json()).toMatchObject({ model: "scripted" });
  expect(told).toEqual([`No OPENAI_API_KEY: the scripted model answers, from ${join(dir, "model.script.yaml")}.`]);
  for (const other of [{}, { ...named, OPENAI_API_KEY: "sk-1" }]) {
    const before = { ...other };
    await startAppModel(other, (line) => told.push(line));
    expect(other).toEqual(before);
  }
  expect(told).toHaveLength(1);
});

test("says what is wrong with a script, and with its path", async () => {
  await script("rules: [{ reply: {} }]");
  await expect(start({})).rejects.toMatchObject({ code: "definition.invalid", message: expect.stringContaining("model.script.yaml:1: ") });
  await expect(start({}, join(dir, "absent.yaml"))).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining("absent.yaml"),
  });
});
