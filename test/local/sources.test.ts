/** @module Models that read sources: no request is sent with a document that was found to be gone, and the task goes on without it. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, route, system, tool } from "../../agents/index.ts";
import type { ModelRequest } from "../../runtime/model/conversation.ts";
import { fakeModel, type FakeReply, type LocalSystem, startLocal } from "../../testing/index.ts";
import { Shelf } from "../actors/sources-rig.ts";

const Desk = contract("Desk", 1, { input: z.object({ text: z.string() }), output: z.string() });

interface Bed {
  readonly shelf: Shelf;
  readonly requests: string[];
  /** What happens while the model waits for its tool. */
  meanwhile: () => Promise<unknown>;
  readonly local: LocalSystem;
  ask(text: string): Promise<unknown>;
}

/** A model that first does what the test says, then uses a tool during which the source changes, and at last answers. */
function bed(first: (request: ModelRequest) => FakeReply | undefined): Bed {
  const shelf = new Shelf();
  const requests: string[] = [];
  const pause = tool("pause", {
    input: z.object({}),
    output: z.object({ done: z.boolean() }),
    effect: "read",
    run: async () => {
      await made.meanwhile();
      return { done: true };
    },
  });
  const desk = agent(Desk, model({ instructions: "Answer from the handbook.", tools: [pause], memory: { sources: [shelf.source] } }));
  const main = route("main", 1, Desk.input)
    .to("desk", Desk, ({ task }) => task)
    .output(({ desk: said }) => said);
  const models = {
    default: fakeModel((request) => {
      const text = JSON.stringify(request.messages);
      requests.push(text);
      const isPaused = request.messages.some((message) => message.role === "tool" && message.name === "pause");
      return (
        first(request) ??
        (isPaused ? `done: ${text.includes("eats no nuts") ? "nuts" : "nothing"}` : { calls: [{ name: "pause", arguments: {} }] })
      );
    }),
  };
  const local = startLocal(system("shop", { agents: [desk], routes: [main], models }));
  const made: Bed = {
    shelf,
    requests,
    meanwhile: async () => undefined,
    local,
    ask: async (text) => {
      const ended = await local.run(main, { text });
      return ended.status === "completed" ? ended.output : ended.fault;
    },
  };
  return made;
}

const isRecalled = ({ messages }: ModelRequest): boolean =>
  messages.some((message) => message.role === "tool" && message.name === "recall");

describe("law: no request holds a document after it was found to be gone", () => {
  test("a document in the first prompt that vanishes ends the attempt, and the next one is prompted without it", async () => {
    const desk = bed(() => undefined);
    desk.shelf.set({ diet: "Ann eats no nuts" });
    desk.meanwhile = async () => {
      desk.shelf.documents.clear();
      expect(await desk.local.sync("handbook")).toMatchObject({ vanished: 1, readers: [{ processId: "local-1" }] });
    };
    expect(await desk.ask("what about nuts?")).toBe("done: nothing");
    const [before, ...after] = desk.requests.map((text) => text.includes("eats no nuts"));
    expect(before).toBe(true);
    expect(after.length).toBeGreaterThan(0);
    expect(after).not.toContain(true);
    await desk.local.stop();
  });

  test("a document that was recalled by the model and changes is recalled anew; the tool is not called twice", async () => {
    const desk = bed((request) => (isRecalled(request) ? undefined : { calls: [{ name: "recall", arguments: { key: "diet" } }] }));
    desk.shelf.set({ diet: "Ann eats no nuts" });
    let pauses = 0;
    desk.meanwhile = async () => {
      pauses += 1;
      desk.shelf.set({ diet: "Ann eats everything" });
      await desk.local.sync("handbook");
    };
    expect(await desk.ask("hello")).toBe("done: nothing");
    expect(pauses).toBe(1);
    expect(desk.requests.filter((text) => text.includes("eats no nuts")).length).toBe(1);
    expect(desk.requests.at(-1)).toContain("eats everything");
    await desk.local.stop();
  });

  test("a document that stays is in every request, and the task has one attempt", async () => {
    const desk = bed(() => undefined);
    desk.shelf.set({ diet: "Ann eats no nuts", fish: "Bob eats fish" });
    desk.meanwhile = async () => {
      desk.shelf.documents.delete("fish");
      await desk.local.sync("handbook");
    };
    expect(await desk.ask("what about nuts?")).toBe("done: nuts");
    expect(desk.requests.length).toBe(2);
    await desk.local.stop();
  });

  test("a task that has ended is named when what it had read vanishes", async () => {
    const desk = bed(() => "fine");
    desk.shelf.set({ diet: "Ann eats no nuts" });
    expect(await desk.ask("nuts?")).toBe("fine");
    desk.shelf.documents.clear();
    expect(await desk.local.sync("handbook")).toMatchObject({ readers: [{ processId: "local-1", agent: "Desk" }] });
    await desk.local.stop();
  });
});
