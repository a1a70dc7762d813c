/** @module Ids and names that every object inherits, over HTTP: in paths, queries and bodies. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { ProcessView, StopsView } from "../../../runtime/process-view.ts";
import { startReal, type RealRig } from "./real-rig.ts";
import { ErrorAnswer } from "./rig.ts";

const NAMES = [...Object.getOwnPropertyNames(Object.prototype), "then"];
const Page = z.looseObject({ entries: z.array(z.looseObject({ id: z.string() })) });
const INPUT = { item: "a", mood: "good" };

let rig: RealRig;
beforeAll(async () => {
  rig = await startReal();
});
afterAll(async () => rig.stop());

async function codeOf(method: string, path: string, body?: unknown): Promise<string> {
  return ErrorAnswer.parse((await rig.call(method, path, body)).json).error.code;
}

describe("names that objects inherit", () => {
  test("are unknown ids before there is such a process, and unknown routes", async () => {
    for (const name of NAMES) {
      expect([name, await codeOf("GET", `/processes/${name}`)]).toEqual([name, "process.unknown"]);
      expect([name, await codeOf("POST", "/tasks", { id: "x", route: name, input: INPUT })]).toEqual([name, "route.unknown"]);
    }
  });

  test("are ids of processes and of their dead letters", async () => {
    await Promise.all(NAMES.map((id, index) => rig.run(id, index % 2 === 0 ? "good" : "bad")));
    for (const [index, id] of NAMES.entries()) {
      const shown = ProcessView.parse((await rig.call("GET", `/processes/${id}`)).json);
      expect([shown.id, shown.outcome?.status]).toEqual([id, index % 2 === 0 ? "completed" : "failed"]);
      expect(StopsView.parse((await rig.call("GET", `/processes/${id}/stops`)).json).stops.map(({ stop }) => stop)).toContain("pay");
    }
    const listed = Page.parse((await rig.call("GET", "/processes")).json);
    expect(listed.entries.map(({ id }) => id).sort()).toEqual(NAMES.toSorted());
    const letters = Page.parse((await rig.call("GET", "/deadletters")).json);
    expect(letters.entries.map(({ id }) => id).sort()).toEqual(
      NAMES.filter((_, index) => index % 2 === 1)
        .map((id) => `${id}:1`)
        .sort(),
    );
  });

  test("are unknown fields of a query, a body and an input", async () => {
    for (const name of NAMES) {
      const withName = (value: object): string => JSON.stringify(value).replace("{", `{${JSON.stringify(name)}:1,`);
      expect([name, await codeOf("GET", `/processes?${name}=1`)]).toEqual([name, "body.invalid"]);
      expect([name, await codeOf("POST", "/tasks", withName({ route: "order", input: INPUT }))]).toEqual([name, "body.invalid"]);
      const input = `{"route":"order","input":${withName(INPUT)}}`;
      expect([name, await codeOf("POST", "/tasks", input)]).toEqual([name, "schema.task"]);
    }
  });
});
