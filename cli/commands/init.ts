/** @module `init`: adds Troupe to a project that is there already. */
import type { Command } from "commander";
import { resolve } from "node:path";
import { scaffold, type Scaffolded } from "../run/scaffold.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { type Context, examples, jsonOption } from "./common.ts";

/** Adds the command. */
export function init(parent: Command, context: Context): void {
  const command = parent
    .command("init")
    .argument("[folder]", "the folder of the project, with its package.json", ".")
    .description("add an example system, a dapr.yaml and components to a project")
    .addOption(jsonOption());
  examples(
    command,
    [
      ["troupe init", "in the folder of your project"],
      ["troupe init ../shop", "in another one"],
    ],
    ["A file that is there already stays as it is; package.json is only read."],
  );
  command.action(async (folder: string, { json }: { readonly json: boolean }) => {
    const done = await scaffold(resolve(folder));
    if (json) say(JSON.stringify(done));
    else for (const line of initText(done, folder)) say(line);
    context.done(EXIT.ok);
  });
}

/** What was done, and the next commands. */
function initText({ files, systemFile, lacking }: Scaffolded, folder: string): readonly string[] {
  const next = [
    ...(folder === "." ? [] : [`cd ${folder}`]),
    ...(lacking.length === 0
      ? []
      : [`npm install ${lacking.join(" ")}${lacking.includes("troupe") ? "   # for troupe the tarball of npm pack" : ""}`]),
    `node --test ${systemFile.replace("system.", "system.test.")}`,
    `npx troupe up ${systemFile}`,
    `npx troupe submit greet '{"name":"Ada"}' --wait   # in another terminal`,
  ];
  return [
    ...files.map(({ path, made }) => (made ? `made  ${path}` : `kept  ${path}: it is there already`)),
    "",
    "State and log of a run lie in .troupe/: add it to your .gitignore. Next:",
    "",
    ...next.map((line) => `  ${line}`),
  ];
}
