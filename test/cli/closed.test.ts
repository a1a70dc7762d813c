/** @module What a run gives away: its token only to this machine, its folder to no other user, a signal only to its own processes. */
import { spawn, spawnSync } from "node:child_process";
import { chownSync, chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { identityOf } from "../../cli/dapr/identity.ts";
import { runPlan } from "../../cli/run/run-file.ts";
import { readRunRecord, runRecordPath, writeRunRecord } from "../../cli/run/run-record.ts";
import { ownSecrets, runSecrets, secretsEnv } from "../../cli/run/secrets.ts";
import { dir, run, stub, useParty } from "./party.ts";
import { runLine } from "./stub.ts";

const OTHER_USER_NUMBER = 65_534;
const isRoot = process.getuid?.() === 0;
const COMMANDS = [["ps"], ["down"], ["show", "trip-7"], ["submit", "trip", "{}"], ["dead", "list"], ["purge"]] as const;
const ps = { entries: [] };

useParty();
beforeEach(() => {
  stub.answers["GET /processes"] = { json: ps };
  vi.stubEnv("APP_API_TOKEN", "");
});
afterEach(() => vi.unstubAllEnvs());

function record(more: object = {}): object {
  return { url: stub.url, pid: process.pid, appId: "party", appToken: "of-the-run", apiToken: "of-daprd", ...more };
}

describe("the token of a run", () => {
  test("is sent to the run that the state folder names, and to no other address", async () => {
    await writeRunRecord(dir, record() as Parameters<typeof writeRunRecord>[1]);
    await run("ps");
    await run("ps", "--url", stub.url);
    await run("ps", "--token", "given");
    await run("ps", "--url", stub.url.replace("127.0.0.1", "0.0.0.0"));
    await writeRunRecord(dir, { ...record(), url: "http://127.0.0.1:1" } as Parameters<typeof writeRunRecord>[1]);
    await run("ps", "--url", stub.url);
    expect(stub.seen.map(({ token }) => token)).toEqual(["Bearer of-the-run", "Bearer of-the-run", "Bearer given", undefined, undefined]);
  });

  test("of the environment stays on this machine, and that is said; one that is given goes where it shall", async () => {
    vi.stubEnv("APP_API_TOKEN", "of-the-environment");
    // Reaches this machine, and is no name of loopback.
    const far = stub.url.replace("127.0.0.1", "0.0.0.0");
    await run("ps", "--url", stub.url);
    const { err } = await run("ps", "--url", far);
    await run("ps", "--url", far, "--token", "given");
    expect(stub.seen.map(({ token }) => token)).toEqual(["Bearer of-the-environment", undefined, "Bearer given"]);
    expect(err).toContain(`APP_API_TOKEN is not sent to ${far}`);
  });

  test("a run file of the folder that names another machine is refused", async () => {
    await writeRunRecord(dir, { ...record(), url: stub.url.replace("127.0.0.1", "0.0.0.0") } as Parameters<typeof writeRunRecord>[1]);
    const { code, err } = await run("ps");
    expect([code, stub.seen]).toEqual([1, []]);
    expect(err).toMatch(/^STATE_FOLDER: run\.json in .+ names http:\/\/0\.0\.0\.0:\d+, which is not on this machine\./);
  });

  test("a run whose process has ended is none, also when another process has its id now", async () => {
    await writeRunRecord(dir, record() as Parameters<typeof writeRunRecord>[1]);
    const own = JSON.parse(readFileSync(runRecordPath(dir), "utf8")) as object;
    expect(await readRunRecord(dir)).toMatchObject({ appToken: "of-the-run" });
    for (const other of [{ started: "1" }, { uid: OTHER_USER_NUMBER }, { started: undefined }]) {
      writeFileSync(runRecordPath(dir), JSON.stringify({ ...own, ...other }));
      expect(await readRunRecord(dir)).toBeUndefined();
    }
  });
});

describe("a state folder", () => {
  test.skipIf(!isRoot)("of another user is refused by every command; nothing is sent, no process is ended", async () => {
    const bystander = spawn("sleep", ["60"]);
    try {
      const { pid = 0 } = bystander;
      await writeRunRecord(dir, record() as Parameters<typeof writeRunRecord>[1]);
      writeFileSync(join(dir, "lock"), JSON.stringify({ owner: { name: "troupe", ...identityOf(pid) }, children: [] }));
      chownSync(dir, OTHER_USER_NUMBER, OTHER_USER_NUMBER);
      for (const words of COMMANDS) {
        const { code, err } = await runLine(...words, "--state", dir);
        expect([words, code, err]).toEqual([
          words,
          1,
          expect.stringMatching(/^FOLDER_FOREIGN: the folder .+ belongs to another user \(uid 65534/),
        ]);
        expect(err).toContain("What to do: Use a folder of your own (--state).");
      }
      expect([stub.seen, bystander.exitCode, bystander.signalCode]).toEqual([[], null, null]);
    } finally {
      bystander.kill("SIGKILL");
    }
  });

  test.skipIf(!isRoot)("that a link of another user names is refused too", async () => {
    const link = join(dir, "link");
    mkdirSync(join(dir, "target"));
    symlinkSync(join(dir, "target"), link);
    spawnSync("chown", ["-h", String(OTHER_USER_NUMBER), link]);
    const { code, err } = await runLine("ps", "--state", link);
    expect([code, err]).toEqual([1, expect.stringContaining("FOLDER_FOREIGN: ")]);
  });

  test("that everyone may write into is refused", async () => {
    chmodSync(dir, 0o777);
    const { code, err } = await run("ps");
    expect([code, err]).toEqual([1, expect.stringMatching(/^FOLDER_FOREIGN: every user may write into the folder/)]);
    expect(err).toContain(`chmod go-w ${dir}`);
  });

  test.runIf(process.platform === "linux").each(["/proc/x", "/proc/x/y", "/dev/null/x"])(
    "that cannot be made, %s, is named in bounded time",
    (state) => {
      const module = fileURLToPath(new URL("../../cli/run/state-folder.ts", import.meta.url));
      const made = `import(${JSON.stringify(module)}).then((m) => m.makeStateFolder(${JSON.stringify(state)}))`;
      const code = `${made}.catch((e) => console.log(e.message))`;
      const { stdout, signal } = spawnSync(process.execPath, ["-e", code], { timeout: 15_000, encoding: "utf8" });
      expect([signal, stdout]).toEqual([null, expect.stringMatching(`^the state folder ${state} cannot be created or written: E`)]);
    },
  );
});

describe("the secrets of a run", () => {
  test("are random; the key of messages stays with the folder, readable by its user alone", async () => {
    const state = join(dir, "state");
    const [one, two] = [await runSecrets(state, {}), await runSecrets(state, {})];
    expect(new Set([...Object.values(one), ...Object.values(two)]).size).toBe(5);
    expect(one.messageKey).toBe(two.messageKey);
    expect([statSync(state).mode & 0o777, statSync(join(state, "message-key")).mode & 0o777]).toEqual([0o700, 0o600]);
    expect((await runSecrets(join(dir, "other"), {})).messageKey).not.toBe(one.messageKey);
  });

  test("are those of the environment, and of an app's own environment first", async () => {
    const env = { APP_API_TOKEN: "a", DAPR_API_TOKEN: "d", TROUPE_MESSAGE_KEY: "k" };
    const secrets = await runSecrets(dir, env);
    expect(secretsEnv(secrets)).toEqual(env);
    expect(ownSecrets(secrets, { APP_API_TOKEN: "own", DAPR_API_TOKEN: "" })).toEqual({ ...secrets, appToken: "own" });
  });

  test("a run file that closes an app and leaves its daprd open is refused", () => {
    const plan = (env: object, common: object = {}): unknown =>
      runPlan(
        {
          version: 1,
          common: { resourcesPaths: ["c"], ...common },
          apps: [{ appID: "one", appDirPath: ".", appPort: 1, command: ["x"], env }],
        },
        "dapr.yaml",
        "/base",
      );
    vi.stubEnv("DAPR_API_TOKEN", "");
    const refusal = /^dapr\.yaml: apps\.0: one has APP_API_TOKEN and no DAPR_API_TOKEN/;
    expect(() => plan({ APP_API_TOKEN: "a" })).toThrow(refusal);
    expect(() => plan({}, { env: { APP_API_TOKEN: "a" } })).toThrow(refusal);
    plan({});
    plan({ APP_API_TOKEN: "a", DAPR_API_TOKEN: "d" });
    plan({ APP_API_TOKEN: "a" }, { env: { DAPR_API_TOKEN: "d" } });
  });
});
