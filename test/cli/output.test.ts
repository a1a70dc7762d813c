/** @module What the command prints for people: tables at the width of the terminal, colours, times, log lines, stores that are away. */
import { WriteStream } from "node:tty";
import { afterEach, describe, expect, test, vi } from "vitest";
import { agoText, durationMs } from "../../cli/text/duration.ts";
import { logText } from "../../cli/text/log.ts";
import { storesOf } from "../../cli/run/stores.ts";
import { statusCell, table } from "../../cli/text/table.ts";
import { runLine } from "./stub.ts";

const COLUMNS = 40;
const ESCAPE = "\u001B[";

function terminal(isTTY: boolean): void {
  vi.stubEnv("TERM", "xterm-256color");
  // Node takes a terminal of most CI services for one without colours.
  for (const name of ["CI", "TF_BUILD", "TEAMCITY_VERSION", "TMUX"]) vi.stubEnv(name, undefined);
  vi.spyOn(process, "stdout", "get").mockReturnValue(
    Object.assign(Object.create(process.stdout) as typeof process.stdout, {
      isTTY,
      columns: COLUMNS,
      getColorDepth: WriteStream.prototype.getColorDepth,
    }),
  );
}

test("a status or unit whose name objects inherit is no known one", () => {
  for (const name of ["constructor", "valueOf", "__proto__"]) {
    expect(statusCell(name)).toBe(name);
    expect([durationMs(name), durationMs(`1${name}`)]).toEqual([undefined, undefined]);
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe("a table", () => {
  const rows = [["trip-7", statusCell("completed"), "a long text that does not fit into forty columns"]] as const;

  test("in a pipe has no colours and is never cut", () => {
    terminal(false);
    expect(table(["id", "status", "what"], rows)).toBe(
      "id      status     what\ntrip-7  completed  a long text that does not fit into forty columns",
    );
  });

  test("on a terminal has colours and is cut at its edge", () => {
    vi.stubEnv("NO_COLOR", undefined);
    vi.stubEnv("FORCE_COLOR", undefined);
    terminal(true);
    const text = table(["id", "status", "what"], rows);
    expect(text).toContain(`${ESCAPE}32mcompleted${ESCAPE}39m  a long text that doe…`);
  });

  test("with NO_COLOR has none there either", () => {
    vi.stubEnv("NO_COLOR", "1");
    vi.stubEnv("FORCE_COLOR", undefined);
    terminal(true);
    expect(table(["id", "status", "what"], rows)).not.toContain(ESCAPE);
    expect(table(["id", "status", "what"], rows).split("\n")[1]).toHaveLength(COLUMNS);
  });
});

test("times are read with a unit and told in the greatest one", () => {
  expect(["500ms", "30s", "5m", "2h", "7d", "7", "soon", "1.5h", "-1s"].map(durationMs)).toEqual([
    500,
    30_000,
    300_000,
    7_200_000,
    604_800_000,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect([0, 999, 61_000, 7_200_000, 200_000_000].map((ms) => agoText(0, ms))).toEqual(["now", "now", "1 min", "2 h", "2 d"]);
});

test("an app's JSON log is told in short; every other line stays as it is", () => {
  expect(logText('{"level":30,"time":0,"app":"troupe","msg":"listening","port":3100,"routes":["trip"]}')).toBe(
    '00:00:00 listening port=3100 routes=["trip"]',
  );
  expect(logText('{"level":50,"time":0,"msg":"it broke","err":{"message":"no line","stack":"at x"}}')).toBe(
    "00:00:00 ERROR it broke: no line",
  );
  expect(["plain", "{ not json", '{"level":"high"}'].map(logText)).toEqual(["plain", "{ not json", '{"level":"high"}']);
});

describe("stores of a profile", () => {
  test("that do not answer are named with their address and what to do", async () => {
    await expect(storesOf({ profile: "redis", redisUrl: "127.0.0.1:1" })).rejects.toMatchObject({
      code: "STORE_ABSENT",
      message: "no Redis answers at 127.0.0.1:1.",
      fix: expect.stringContaining("--redis-url or TROUPE_REDIS_URL"),
    });
    await expect(storesOf({ profile: "redis", redisUrl: "redis://" })).rejects.toMatchObject({ code: "USAGE" });
    expect(await storesOf({ profile: "embedded", redisUrl: "127.0.0.1:1" })).toEqual({});
  });

  test("and what cannot go together is wrong usage", async () => {
    expect(await runLine("up", "a.ts", "-f", "b.yaml")).toMatchObject({
      code: 2,
      err: expect.stringContaining("give a system file or -f, not both"),
    });
    expect(await runLine("up", "-f", "b.yaml", "--profile", "redis")).toMatchObject({
      code: 2,
      err: expect.stringContaining("the resources of the file say where state and topics live"),
    });
    expect(await runLine("up", "--profile", "oracle")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Allowed choices are embedded, redis, postgres"),
    });
  });
});
