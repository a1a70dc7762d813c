/** @module `show`, and following a process, against a pretended system. */
import { describe, expect, test } from "vitest";
import { AT_MS, LINE, PROCESS, STOPS, INPUT, stub, useParty, run } from "./party.ts";
import { refuse } from "./stub.ts";

useParty();

describe("following", () => {
  const events = (...blocks: readonly string[]): { readonly events: string } => ({
    events: blocks.map((block) => `${block}\n\n`).join(""),
  });
  const line = (id: number, what: string): string => `event: line\nid: ${id}\ndata: ${JSON.stringify({ ...LINE, what })}`;
  const outcome = `event: outcome\ndata: ${JSON.stringify(PROCESS.outcome)}`;

  test("shows each step and the outcome, over a stream that breaks, from where it broke", async () => {
    stub.answers["GET /processes/trip-7/events"] = [events(": hello", line(0, "asked")), events(line(1, "answered"), outcome)];
    const { code, out } = await run("submit", "trip", INPUT, "--follow");
    expect(code).toBe(0);
    expect(out.split("\n").slice(1)).toEqual([
      "  seconds  stop      agent         what happened",
      "    0.100  plan      PlannerAgent  asked",
      "    0.100  plan      PlannerAgent  answered",
      "",
      "  city: Palermo",
      "",
      "completed in 0.250 s",
      "",
    ]);
    expect(stub.seen.filter(({ path }) => path.includes("/events")).map(({ lastEventId }) => lastEventId)).toEqual([undefined, "0"]);
  });

  test("of a later run says so, and counts from the acceptance", async () => {
    stub.answers["GET /processes/trip-7/events"] = events(`${outcome}\nid: 2.outcome`);
    expect((await run("show", "trip-7", "--follow")).out).toContain("completed in run 2, 0.250 s after it was accepted");
  });

  test("as JSON is one document a line, the outcome last", async () => {
    stub.answers["GET /processes/trip-7/events"] = events(line(0, "asked"), outcome);
    const { out } = await run("show", "trip-7", "--follow", "--json");
    expect(
      out
        .trim()
        .split("\n")
        .map((text) => Object.keys(JSON.parse(text))),
    ).toEqual([["line"], ["outcome"]]);
  });

  const WORK = "trip-7:1:plan:0:1";
  const piece = (more: object, work = WORK): string =>
    `event: model-delta\nid: 1.0~ab.1\ndata: ${JSON.stringify({ work, stop: "plan", agent: "PlannerAgent", call: "m/1#0", ...more })}`;

  test("shows the replies of models while they are received, each line behind a margin, and no command to the terminal", async () => {
    stub.answers["GET /processes/trip-7/events"] = events(
      line(0, "asked"),
      piece({ text: "The\nsea" }),
      piece({ text: " is \u001b[2Jwarm." }),
      piece({ text: "Other." }, "trip-7:1:plan:0:2"),
      piece({ text: " Yes." }),
      piece({ tool: "book\u0007" }),
      piece({ reasoning: "not shown" }),
      piece({ ended: "fault" }),
      piece({ text: "Again.", restarted: true, skipped: true }),
      line(1, "answered"),
      outcome,
    );
    const { out } = await run("show", "trip-7", "--follow");
    const margin = `${" ".repeat(35)}> `;
    expect(out.split("\n").slice(1, 13)).toEqual([
      "    0.100  plan      PlannerAgent  asked",
      "           plan      PlannerAgent  > The",
      `${margin}sea is \\u001b[2Jwarm.`,
      "           plan      PlannerAgent  > Other.",
      "           plan      PlannerAgent  >  Yes.[calls book\\u0007]",
      "           plan      PlannerAgent  > (the call is made again; what came of it before is void)",
      `${margin}(the beginning was not kept) Again.`,
      "    0.100  plan      PlannerAgent  answered",
      "",
      "  city: Palermo",
      "",
      "completed in 0.250 s",
    ]);
  });

  test("says that a call is made again, because what it said before is void", async () => {
    stub.answers["GET /processes/trip-7/events"] = events(piece({ text: "half" }), piece({ text: "whole", restarted: true }), outcome);
    expect((await run("show", "trip-7", "--follow")).out).toMatch(
      /> half\n.*> \(the call is made again; what came of it before is void\)\n.*> whole\n/,
    );
  });

  test("as JSON has the pieces too", async () => {
    stub.answers["GET /processes/trip-7/events"] = events(piece({ text: "half" }), outcome);
    const { out } = await run("show", "trip-7", "--follow", "--json");
    expect(JSON.parse(out.split("\n")[0] ?? "")).toMatchObject({ delta: { stop: "plan", text: "half" } });
  });

  test("of a process that ends badly is exit code 1", async () => {
    stub.answers["GET /processes/trip-7/events"] = events(`event: outcome\ndata: ${JSON.stringify({ status: "cancelled", atMs: AT_MS })}`);
    expect(await run("show", "trip-7", "--follow")).toMatchObject({ code: 1 });
  });
});

describe("show", () => {
  test("shows each open wait, of stops and of handlers", async () => {
    const { outcome: _none, ...open } = PROCESS;
    const wait = (stop: string, more: object): object => ({ wait: `trip-7:1:${stop}`, stop, begunAtMs: AT_MS, ...more });
    const waits = [
      wait("approval", { kind: "signal", name: "approval", dueAtMs: AT_MS + 1_000 }),
      wait("nap", { kind: "timer", dueAtMs: AT_MS + 2_000 }),
      wait("legs[]", { kind: "signal", name: "paid", item: 2, agent: "Pay" }),
    ];
    stub.answers["GET /processes/trip-7"] = { json: { ...open, phase: "open", waits } };
    expect((await run("show", "trip-7")).out.split("\n").slice(-6)).toEqual([
      "",
      "stop      agent      open wait",
      "approval  (process)  waits for signal approval until 2025-10-09 08:53:21 UTC",
      "nap       (process)  sleeps until 2025-10-09 08:53:22 UTC",
      "legs[2]   Pay        waits for signal paid until 2025-10-09 08:54:20 UTC",
      "",
    ]);
  });

  test("says how requests to people have ended, and leaves out open ones", async () => {
    const request = (count: number, more: object): object => ({
      ...{ id: `trip-7.r${count}`, processId: "trip-7", route: "trip", run: 1, stop: "pay", kind: "consent", state: "open", about: "a" },
      ...{ hash: "9f86", roles: [], forSubject: "ann", askedAtMs: AT_MS, silence: "deny", reminded: 0, escalated: 0, content: { json: 1 } },
      ...more,
    });
    const requests = [
      request(1, { state: "edited", decided: { by: "mia", reason: "one came back", atMs: AT_MS } }),
      request(2, { state: "expired", decided: { reason: "no person decided in time", atMs: AT_MS } }),
      request(3, {}),
    ];
    const { outcome: _none, ...open } = PROCESS;
    stub.answers["GET /processes/trip-7"] = { json: { ...open, phase: "open", requests } };
    expect((await run("show", "trip-7")).out.split("\n").slice(-5)).toEqual([
      "",
      "stop  request    ended    by   why",
      "pay   trip-7.r1  edited   mia  one came back",
      "pay   trip-7.r2  expired       no person decided in time",
      "",
    ]);
  });

  test("shows head, stops with inputs and outputs, path and outcome", async () => {
    const { code, out } = await run("show", "trip-7");
    expect(code).toBe(0);
    expect(out).toBe(
      [
        "trip-7: completed",
        "route trip, run 1, trace abc",
        "accepted 2025-10-09 08:53:20 UTC",
        "",
        "stop  agent         state     tries  at (s)  took (s)",
        "plan  PlannerAgent  answered  1      0.100   0.100",
        '    in  {"trip":1}',
        '    out {"city":"Palermo"}',
        "",
        "path: PlannerAgent",
        "",
        "  city: Palermo",
        "",
        "completed in 0.250 s",
        "",
      ].join("\n"),
    );
  });

  test("of an unknown id says so", async () => {
    stub.answers["GET /processes/x"] = refuse("process.unknown", "there is no process x");
    expect(await run("show", "x")).toMatchObject({
      code: 1,
      err: expect.stringContaining("process.unknown: there is no process x\nWhat to do: "),
    });
  });

  test("as JSON is the process with its stops", async () => {
    expect(JSON.parse((await run("show", "trip-7", "--json")).out)).toEqual({ ...PROCESS, ...STOPS });
  });
});

describe("conversations", () => {
  const MODEL_CALL = { kind: "model", name: "default", state: "ended", attempt: 1, failures: 0 };
  const work = "trip-7:1:plan:0:1";
  const CONVERSATION = {
    process: "trip-7",
    work,
    agent: "PlannerAgent",
    exchanges: [
      {
        call: "model:default/ab#0",
        model: "default",
        messages: [
          { role: "user", text: "Sea\n1. model default", source: "task", label: [], bytes: 75, new: true },
          { role: "tool", text: "\u001b[2Jsun", source: "weather", label: ["tool:weather"], bytes: 25, new: true },
        ],
        context: [
          { source: "task", trusted: true, bytes: 75 },
          { source: "weather", trusted: false, bytes: 25 },
        ],
        reply: { text: "Palermo", calls: [], finish: "stop" },
        inputTokens: 30,
        outputTokens: 2,
        usd: 0.01,
      },
    ],
    divergence: "the instructions differ",
  };

  test("of all work items that called a model are shown by sources, no text as a line of the command", async () => {
    const [stop] = STOPS.stops;
    stub.answers["GET /processes/trip-7/stops"] = { json: { stops: [{ ...stop, work, calls: [MODEL_CALL] }, stop] } };
    stub.answers[`GET /processes/trip-7/works/${work}/conversation`] = { json: CONVERSATION };
    const { code, out, err } = await run("show", "trip-7", "--conversation");
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out.trim().split("\n")).toEqual([
      `PlannerAgent, work item ${work}`,
      "",
      "1. model default, 30 tokens in, 2 out, $0.0100",
      "  context: 100 bytes: task 75 %, weather (untrusted) 25 %",
      "  task:",
      "    Sea",
      "    1. model default",
      "  weather, untrusted: tool:weather:",
      "    \\u001b[2Jsun",
      "  reply:",
      "    Palermo",
      "The code of the host differs from the record from here on: the instructions differ",
    ]);
  });

  test("of one work item as JSON", async () => {
    stub.answers[`GET /processes/trip-7/works/${work}/conversation`] = { json: CONVERSATION };
    const { out } = await run("show", "trip-7", "--conversation", work, "--json");
    expect(JSON.parse(out)).toEqual([CONVERSATION]);
  });
});
