/** @module docs/cli.md has the help of every command as it is printed, and the help fits a terminal. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { cliDocument, helpTexts, renewed } from "./help.ts";
import { runLine } from "./stub.ts";

const COLUMNS_MAX = 80;

describe("help", () => {
  test("stands in docs/cli.md as it is printed (else: node test/cli/help.ts)", () => {
    expect(cliDocument()).toBe(renewed(cliDocument()));
  });

  test.each([...helpTexts()])("%s stands in the document, has examples and exit codes, and fits 80 columns", (name, text) => {
    expect(cliDocument()).toContain(`<!-- begin ${name} -->`);
    expect(text).toContain("\nExamples:\n");
    expect(text).toContain("\nExit codes: ");
    expect(text.split("\n").filter((line) => line.length > COLUMNS_MAX)).toEqual([]);
  });

  test("an unknown option, command or choice is exit code 2 and names the help", async () => {
    expect(await runLine("ps", "--frsh")).toMatchObject({ code: 2, err: expect.stringContaining("unknown option '--frsh'") });
    expect(await runLine("dead", "writeTombstone")).toMatchObject({
      code: 2,
      err: expect.stringContaining("unknown command 'writeTombstone'"),
    });
    expect(await runLine("completion", "fish")).toMatchObject({ code: 2, err: expect.stringContaining("Allowed choices are bash, zsh") });
  });
});

describe("completion", () => {
  const complete = (script: string, ...words: readonly string[]): readonly string[] => {
    const line = words.map((word) => `'${word}'`).join(" ");
    const { stdout, stderr } = spawnSync(
      "bash",
      ["-c", `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _troupe; printf '%s\\n' "\${COMPREPLY[@]}"`],
      { encoding: "utf8" },
    );
    expect(stderr).toBe("");
    return stdout.trim().split("\n");
  };

  test("of bash knows commands, subcommands, options and choices", async () => {
    const { out } = await runLine("completion", "bash");
    expect(complete(out, "troupe", "s")).toEqual(["start", "submit", "show", "signal", "set-aside"]);
    expect(complete(out, "troupe", "dead", "re")).toEqual(["redrive"]);
    expect(complete(out, "troupe", "dead", "redrive", "--in")).toEqual(["--input"]);
    expect(complete(out, "troupe", "ps", "--status", "c")).toEqual(["completed", "cancelled"]);
    expect(complete(out, "troupe", "up", "--profile", "")).toEqual(["embedded", "redis", "postgres"]);
    expect(complete(out, "troupe", "completion", "z")).toEqual(["zsh"]);
  });

  test("of zsh is that of bash behind bashcompinit", async () => {
    const [bash, zsh] = [await runLine("completion", "bash"), await runLine("completion", "zsh")];
    expect(zsh.out).toBe(`autoload -U +X bashcompinit && bashcompinit\n${bash.out}`);
  });
});
