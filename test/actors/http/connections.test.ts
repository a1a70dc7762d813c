/** @module What one connection may ask for: pipelined requests, requests that Node itself refuses, and memory in flight. */
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isFaultCode } from "../../../runtime/faults.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { PROCESS } from "./operations-fakes.ts";
import { ErrorAnswer, event, gate, message, raw, startRig, type HttpRig } from "./rig.ts";

vi.mock("../../../runtime/limits.ts", async (original) => {
  const { LIMITS: real } = await original<{ readonly LIMITS: typeof LIMITS }>();
  return { LIMITS: { ...real, inFlightBytesMax: 100_000, drainMs: 1_000 } };
});

let rig: HttpRig;
const sockets: Socket[] = [];
beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await rig.host.drain();
});

interface Client {
  readonly socket: Socket;
  /** What it has read. */
  text(): string;
  readonly closed: Promise<void>;
}

function open(): Client {
  const socket = connect(Number(new URL(rig.origin).port), "127.0.0.1");
  sockets.push(socket);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  return { socket, text: () => text, closed };
}

describe("pipelined requests", () => {
  test("are handled one after the other, and answered in their order", async () => {
    const doors = Array.from({ length: 100 }, () => gate());
    const begun: string[] = [];
    rig.behaviour.process = async (id) => {
      begun.push(id);
      await doors[begun.length - 1]?.opened;
      return { ...PROCESS, id };
    };
    const client = open();
    const ids = doors.map((_, at) => `p${at}`);
    client.socket.write(ids.map((id) => `GET /processes/${id} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join(""));
    await expect.poll(() => begun.length).toBe(1);
    // Another connection is served meanwhile.
    expect((await rig.call("GET", "/healthz")).status).toBe(200);
    expect(begun).toEqual(["p0"]);
    for (const door of doors) door.open();
    await expect.poll(() => client.text().split('"phase"').length - 1).toBe(doors.length);
    expect(begun).toEqual(ids);
    expect([...client.text().matchAll(/"id":"(p\d+)"/g)].map(([, id]) => id)).toEqual(ids);
  });

  test("whose answers are not read are not handled", async () => {
    let begun = 0;
    rig.behaviour.process = async (id) => {
      begun += 1;
      return { ...PROCESS, id, stop: "x".repeat(500_000) };
    };
    const client = open();
    client.socket.pause();
    client.socket.write("GET /processes/p HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000));
    await expect.poll(() => begun).toBeGreaterThan(0);
    let before = 0;
    // Until the buffers of the system are full.
    while (before !== begun) {
      before = begun;
      for (let time = 0; time < 20; time += 1) await rig.call("GET", "/healthz");
    }
    expect(begun).toBeLessThan(200);
  });

  test("with bodies are all read", async () => {
    const client = open();
    const body = JSON.stringify({ route: "trip", input: "x".repeat(5_000) });
    client.socket.write(
      `POST /tasks HTTP/1.1\r\nhost: [::1]\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`.repeat(50),
    );
    await expect.poll(() => client.text().split("HTTP/1.1 202").length - 1).toBe(50);
  });
});

describe("what Node refuses itself has a code", () => {
  test.each([
    ["no Host", "GET /graph HTTP/1.1\r\n\r\n", 400, "body.invalid"],
    ["an expectation", "GET /graph HTTP/1.1\r\nhost: localhost\r\nexpect: wonders\r\n\r\n", 417, "body.invalid"],
    ["a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nhost: localhost\r\n\r\n", 405, "method.unknown"],
    ["long headers", `GET /graph HTTP/1.1\r\nhost: localhost\r\nlong: ${"x".repeat(100_000)}\r\n\r\n`, 431, "body.invalid"],
    ["two lengths", "POST /tasks HTTP/1.1\r\nhost: [::1]\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400, "body.invalid"],
    ["headers that do not end", "GET /graph HTTP/1.1\r\nhost: localhost\r\n", 408, "request.late"],
  ])("%s", async (_name, text, status, code) => {
    const client = open();
    client.socket.write(text);
    await client.closed;
    const told = client.text();
    const { error } = ErrorAnswer.parse(JSON.parse(told.slice(told.indexOf("\r\n\r\n") + 4)));
    expect([told.slice(0, 12), isFaultCode(error.code) && error.code]).toEqual([`HTTP/1.1 ${status}`, code]);
  });
});

describe("memory in flight", () => {
  /** Takes little text and much memory. */
  const objects = Array.from({ length: 1_000 }, () => ({}));

  test("is bounded: what comes above it is refused, retryable, and admitted when others have ended", async () => {
    const door = gate();
    const submit = rig.behaviour.submit;
    rig.behaviour.submit = async (...given) => {
      await door.opened;
      return submit(...given);
    };
    const first = rig.call("POST", "/tasks", { route: "trip", input: objects });
    await expect.poll(() => rig.seen.submitted.length).toBe(1);
    const refused = await rig.call("POST", "/tasks", { route: "trip", input: objects });
    expect([refused.status, ErrorAnswer.parse(refused.json).error.code, Number(refused.headers.get("retry-after")) > 0]).toEqual([
      503,
      "body.too-many",
      true,
    ]);
    door.open();
    expect((await first).status).toBe(202);
    expect((await rig.call("POST", "/tasks", { route: "trip", input: objects })).status).toBe(202);
  });

  test("a single request may be larger", async () => {
    expect((await rig.call("POST", "/tasks", { route: "trip", input: [...objects, ...objects, ...objects] })).status).toBe(202);
  });

  test("a message that was acknowledged early counts until it is delivered", async () => {
    await rig.host.drain();
    rig = await startRig({ answerAtOnce: true });
    const door = gate();
    rig.behaviour.deliver = async ({ id }) => {
      await door.opened;
      return { receipt: { messageId: id, sequence: 1 } };
    };
    const large = (id: string): string =>
      raw(JSON.stringify(event({ ...message(id), body: { kind: "signal", name: "go", signalId: "s", payload: { json: objects } } })));
    expect((await rig.call("POST", "/topics/agent/Planner", large("m-1"))).json).toEqual({ status: "SUCCESS" });
    expect((await rig.call("POST", "/topics/agent/Planner", large("m-2"))).json).toEqual({ status: "RETRY" });
    door.open();
    await expect.poll(async () => (await rig.call("POST", "/topics/agent/Planner", large("m-2"))).json).toEqual({ status: "SUCCESS" });
    expect(rig.seen.invalid).toEqual([]);
  });
});

test("one reader does not take all streams", async () => {
  rig.behaviour.process = async (id) => ({ ...PROCESS, id });
  const streams = await Promise.all(
    Array.from({ length: LIMITS.followStreamsPerReaderMax }, (_, at) => fetch(`${rig.origin}/processes/p${at}/events`)),
  );
  const refused = await rig.call("GET", "/processes/p/events");
  expect([refused.status, ErrorAnswer.parse(refused.json).error.code]).toEqual([429, "stream.too-many"]);
  await streams[0]?.body?.cancel();
  await expect
    .poll(async () => {
      const again = await fetch(`${rig.origin}/processes/p/events`);
      await again.body?.cancel();
      return again.status;
    })
    .toBe(200);
  for (const stream of streams.slice(1)) await stream.body?.cancel();
});
