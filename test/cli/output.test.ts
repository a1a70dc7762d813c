/** @module What the command prints for people: tables at the width of the terminal, colours, times, log lines, stores that are away. */
import { WriteStream } from "node:tty";
import { afterEach, describe, expect, test, vi } from "vitest";
import { agoText, durationMs } from "../../cli/text/duration.ts";
import { logText } from "../../cli/text/log.ts";
import { storesOf } from "../../cli/run/stores.ts";
import { complain, oneLine, printable, say, shownPath } from "../../cli/text/output.ts";
import { problemText } from "../../cli/text/problem.ts";
import { outcomeText, stepText } from "../../cli/text/progress.ts";
import { statusCell, table } from "../../cli/text/table.ts";
import { ClientError } from "../../client/index.ts";
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
    const text = printable(table(["id", "status", "what"], rows));
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

describe("texts of others", () => {
  /** Clears the screen, sets the title and the clipboard, begins a line, turns the order round. */
  const HOSTILE = "\u001B[2J\u001B]0;title\u0007\u001B]52;c;eA==\u0007\r\nforged: done\n\u009B31m\u202Ecod.exe\u2066\u0000\u007F\u2028x";
  const COMMANDS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/;

  function printed(print: () => void): string {
    const lines: string[] = [];
    for (const stream of [process.stdout, process.stderr])
      vi.spyOn(stream, "write").mockImplementation((text) => {
        lines.push(String(text));
        return true;
      });
    print();
    vi.restoreAllMocks();
    return lines.join("");
  }

  test("never command the terminal", () => {
    for (const print of [say, complain])
      expect(printed(() => print(`a: ${HOSTILE}`))).toBe(
        "a: \\u001b[2J\\u001b]0;title\\u0007\\u001b]52;c;eA==\\u0007\\u000d\nforged: done\n" +
          "\\u009b31m\\u202ecod.exe\\u2066\\u0000\\u007f\\u2028x\n",
      );
  });

  test("begin no line of their own in tables, events, outcomes, logs, errors and names of files", () => {
    const fault = { code: "till.broken", message: HOSTILE, fix: HOSTILE };
    const line = { atMs: 0, what: HOSTILE, stop: HOSTILE, agent: HOSTILE, attempt: 1 };
    for (const text of [
      table(["id"], [[HOSTILE], [{ text: HOSTILE, colour: "red" }]]),
      stepText(line, 0),
      outcomeText({ status: "failed", atMs: 0, fault }, 0, "t"),
      logText(JSON.stringify({ level: 50, time: 0, msg: HOSTILE, err: { message: HOSTILE }, field: HOSTILE })),
      problemText(new ClientError({ code: "till.broken", message: HOSTILE, fix: HOSTILE })),
      shownPath(HOSTILE),
    ]) {
      expect(text).not.toMatch(/^forged/m);
      expect(printable(text)).not.toMatch(COMMANDS);
    }
  });

  test("mean the same in JSON", () => {
    const text = printed(() => say(JSON.stringify({ message: HOSTILE })));
    expect(text).not.toMatch(COMMANDS);
    expect(JSON.parse(text)).toEqual({ message: HOSTILE });
  });

  test("do not take part in the command's own colours", () => {
    vi.stubEnv("NO_COLOR", undefined);
    vi.stubEnv("FORCE_COLOR", undefined);
    terminal(true);
    expect(printable(table(["id"], [[{ text: "\u001B[32m", colour: "red" }]]))).toContain(`${ESCAPE}31m\\u001b[32m${ESCAPE}39m`);
    expect(oneLine("a\tb 👩‍💻 ä")).toBe("a\tb 👩‍💻 ä");
  });
});
