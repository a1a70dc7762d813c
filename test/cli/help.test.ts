/** @module docs/cli.md has the help of every command as it is printed, and the help fits a terminal. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { COMMAND_NAMES, program } from "../../cli/program.ts";
import { Lifetime } from "../../cli/run/lifetime.ts";
import { ROOT } from "../examples/readme.ts";
import { cliDocument, helpTexts, renewed } from "./help.ts";
import { runLine } from "./stub.ts";

const COLUMNS_MAX = 80;
/** The discard port: no system answers there. */
const UNREACHABLE = "http://127.0.0.1:9";
const texts = await helpTexts();

describe("help", () => {
  test("stands in docs/cli.md as it is printed (else: node test/cli/help.ts)", async () => {
    expect(cliDocument()).toBe(await renewed(cliDocument()));
  });

  test("stands there once for each command, under a heading of its own", () => {
    const headings: readonly string[] = cliDocument().match(/^#+ .+$/gm) ?? [];
    expect(headings.filter((heading, index) => headings.indexOf(heading) !== index)).toEqual([]);
    const parts: readonly string[] = cliDocument().match(/^<!-- begin .+ -->$/gm) ?? [];
    expect(parts.filter((part, index) => parts.indexOf(part) !== index)).toEqual([]);
  });

  test.each([...texts])("%s stands in the document, has examples and exit codes, and fits 80 columns", (name, text) => {
    expect(cliDocument()).toContain(`<!-- begin ${name} -->`);
    expect(text).toContain("\nExamples:\n");
    expect(text).toContain("\nExit codes: ");
    expect(text.split("\n").filter((line) => line.length > COLUMNS_MAX)).toEqual([]);
  });

  test.each([
    ["an unknown option", ["ps", "--frsh"], "unknown option '--frsh'.", "`troupe ps --help` shows what there is."],
    ["a misspelt option", ["ps", "--jsn"], "unknown option '--jsn'.", "Did you mean `--json`? `troupe ps --help` shows what there is."],
    ["a misspelt command", ["shwo"], "unknown command 'shwo'.", "Did you mean `show`? `troupe --help` shows what there is."],
    ["two letters off", ["doctr"], "unknown command 'doctr'.", "Did you mean `doctor`? `troupe --help` shows what there is."],
    ["a word of other programs", ["logs"], "unknown command 'logs'.", "(.troupe/run.log)"],
    ["an unknown command below one", ["dead", "writeTombstone"], "unknown command 'writeTombstone'.", "`troupe dead --help`"],
    ["an unknown choice", ["completion", "fish"], "Allowed choices are bash, zsh.", "`troupe completion --help`"],
    ["two sources of apps", ["up", "system.ts", "-f", "dapr.yaml"], "give a system file or -f, not both.", "`troupe up --help`"],
  ])("%s is USAGE with what to do, and exit code 2", async (_, words, what, fix) => {
    const { code, err } = await runLine(...words);
    expect(code).toBe(2);
    expect(err).toMatch(/^USAGE: .+\nWhat to do: .+\n$/);
    expect(err).toContain(what);
    expect(err).toContain(fix);
  });

  test("a command line without words shows the help", async () => {
    expect(await runLine()).toMatchObject({ code: 0, out: texts.get("troupe --help") });
  });
});

describe("a command line loads what it needs", () => {
  test.each(COMMAND_NAMES)("%s is the command of its name, alone", async (name) => {
    const { commands } = await program({ lifetime: new Lifetime(), done: () => undefined }, [name]);
    expect(commands.map((command) => command.name())).toEqual([name]);
  });

  const LOADED = `
    import { registerHooks } from "node:module";
    registerHooks({ load: (url, context, next) => { process.stderr.write(url + "\\n"); return next(url, context); } });`;
  test.each(["ps", "inbox", "--version"])("%s loads nothing of the engine", (word) => {
    const hooks = ["--import", `data:text/javascript,${encodeURIComponent(LOADED)}`];
    const { stderr } = spawnSync(process.execPath, [...hooks, join(ROOT, "cli/main.ts"), word, "--url", UNREACHABLE], { encoding: "utf8" });
    const loaded = stderr.split("\n").filter((line) => line.startsWith(pathToFileURL(ROOT).href));
    expect(loaded.filter((url) => url.includes("/cli/")).length).toBeGreaterThan(2);
    expect(loaded.filter((url) => url.includes("/actors/"))).toEqual([]);
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
    expect(complete(out, "troupe", "s")).toEqual(["submit", "show", "signal", "sources", "set-aside"]);
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
