/** @module The help texts in docs/cli.md. `node test/cli/help.ts` writes them anew. */
import type { Command } from "commander";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Lifetime } from "../../cli/run/lifetime.ts";
import { program } from "../../cli/program.ts";

const DOCUMENT = join(import.meta.dirname, "..", "..", "docs", "cli.md");
const PART = /<!-- begin (troupe[^>]*) -->\n[\s\S]*?<!-- end \1 -->/g;

/** The help of the command and of each below it, by what a person types. */
export async function helpTexts(): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const add = (command: Command, words: string): void => {
    let text = "";
    command.configureOutput({ writeOut: (more) => (text += more), getOutHasColors: () => false });
    command.outputHelp();
    texts.set(`${words} --help`, text);
    for (const child of command.commands) add(child, `${words} ${child.name()}`);
  };
  add(await program({ lifetime: new Lifetime(), done: () => undefined }), "troupe");
  return texts;
}

/** The document as it is. */
export function cliDocument(): string {
  return readFileSync(DOCUMENT, "utf8");
}

/** The document with every help text as the command prints it. Throws when a part names no command. */
export async function renewed(document: string): Promise<string> {
  const texts = await helpTexts();
  return document.replaceAll(PART, (_, name: string) => {
    const text = texts.get(name);
    if (text === undefined) throw new Error(`docs/cli.md has a part ${JSON.stringify(name)}, and there is no such command`);
    return `<!-- begin ${name} -->\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n<!-- end ${name} -->`;
  });
}

if (import.meta.main) writeFileSync(DOCUMENT, await renewed(cliDocument()));
