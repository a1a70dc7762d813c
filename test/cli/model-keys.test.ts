/** @module An app whose models cannot be called says at its start what to set. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, type Endpoint, model, openai, route, secret, system, type System } from "../../agents/index.ts";
import { requireModelKeys } from "../../cli/run/model-keys.ts";

const Writer = contract("Writer", 1, { input: z.string(), output: z.string() });

function party(fast: Endpoint | readonly Endpoint[]): System {
  const writer = agent(Writer, model({ instructions: "Write.", model: "fast" }));
  const write = route("write", 1, z.string())
    .to("text", Writer, ({ task }) => task)
    .output(({ text }) => text);
  return system("party", { agents: [writer], routes: [write], models: { fast } });
}

test("a model without a key names what to set, and that a script can answer", async () => {
  await expect(requireModelKeys(party(openai({ model: "gpt-5-mini" })), {})).rejects.toMatchObject({
    code: "MODEL_KEY",
    message: expect.stringMatching(/^model "fast" cannot be called: .*OPENAI_API_KEY.*\.$/),
    fix: expect.stringContaining("model.script.yaml"),
  });
});

test.each([{ OPENAI_API_KEY: "sk-1" }, { OPENAI_BASE_URL: "http://127.0.0.1:1/v1" }])("with %j nothing is missing", async (env) => {
  await requireModelKeys(party(openai({ model: "gpt-5-mini" })), env);
});

test("one endpoint that can be called is enough, and a key of a secret store is read later", async () => {
  const [closed, local] = [openai({ model: "gpt-5-mini" }), openai({ model: "qwen", baseUrl: "http://127.0.0.1:11434/v1" })];
  await requireModelKeys(party([closed, local]), {});
  await requireModelKeys(party(openai({ model: "gpt-5-mini", apiKey: secret("vault", "key") })), {});
});
