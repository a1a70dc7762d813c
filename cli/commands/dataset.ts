/** @module `dataset`: keeps recorded processes as the items of a dataset, without personal data, for evaluations. */
import { type Command, InvalidArgumentError } from "commander";
import { anonymize, ANONYMIZE_DEFAULT, type AnonymizeRules } from "../../runtime/evaluation/anonymize.ts";
import { withItems } from "../../runtime/evaluation/dataset.ts";
import { runTree } from "../../runtime/cassette/run-nodes.ts";
import { routeOf } from "../../actors/replay/replay.ts";
import { readDataset, writeItems, type WrittenItem } from "../run/dataset-files.ts";
import { counted } from "../../runtime/units.ts";
import { say, shownPath } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";
import { cassetteIn } from "./replay.ts";

interface AddOptions extends RemoteOptions {
  readonly field?: readonly string[];
  readonly pattern?: readonly RegExp[];
  readonly keepAll: boolean;
}

/** Adds the command. */
export function dataset(parent: Command, context: Context): void {
  const group = parent.command("dataset").description("keep recorded processes for evaluations");
  examples(group, [["troupe dataset add refunds trip-7 trip-8", "two items, a version more"]]);
  const command = remote(group.command("add"))
    .argument("<dataset>", "the folder of the dataset; it is made if it does not exist")
    .argument("<ids...>", "processes, or files that `export` wrote")
    .description("add processes to a dataset, with placeholders for personal data and secrets")
    .option("--field <name>", "replace also the contents of fields with this name; can be given again", collect)
    .option("--pattern <regexp>", "replace also texts of this form; can be given again", collectPattern)
    .option("--keep-all", "replace nothing", false);
  examples(
    command,
    [
      ["troupe dataset add refunds trip-7 trip-8", "two items, a version more"],
      ["troupe dataset add refunds trip-7 --field customer", "a field of this system"],
    ],
    ["Look at the files before you share them: no rule finds every personal text."],
  );
  command.action(async (folder: string, ids: readonly string[], options: AddOptions) => {
    const items: WrittenItem[] = [];
    for (const id of ids) items.push(await itemOf(id, options, context));
    const next = await writeItems(
      folder,
      items,
      (
        (before) => (written) =>
          withItems(before, written)
      )(await readDataset(folder)),
    );
    const added = next.items.filter((item) => items.some(({ item: { id } }) => id === item.id));
    say(
      options.json
        ? JSON.stringify({ dataset: next.name, version: next.version, added })
        : [
            `Dataset ${next.name}, version ${next.version}: ${counted(next.items.length, "item")} in ${shownPath(folder)}.`,
            ...added.map(({ id, replaced = 0, unknown = [] }) => {
              const lost =
                unknown.length === 0 ? "" : `; ${counted(unknown.length, "call")} may not be found again: no record has the arguments`;
              return `  ${id}: ${counted(replaced, "text")} replaced${lost}`;
            }),
          ].join("\n"),
    );
    context.done(EXIT.ok);
  });
}

async function itemOf(id: string, options: AddOptions, context: Context): Promise<WrittenItem> {
  const cassette = (await cassetteIn(id)) ?? (await (await clientOf(options, context.lifetime)).cassette(id, { contents: true }));
  const {
    cassette: kept,
    replaced,
    replays,
    unknown,
  } = options.keepAll ? { cassette, replaced: 0, replays: true, unknown: [] } : anonymize(cassette, rulesOf(options));
  const tree = runTree(kept);
  const [root] = kept.processes;
  return {
    cassette: kept,
    item: {
      ...{ id: tree.id, route: root === undefined ? "" : routeOf(root), outcome: tree.outcome, addedAtMs: Date.now() },
      ...(replaced === 0 ? {} : { replaced }),
      ...(replays ? {} : { replays: false as const }),
      ...(unknown.length === 0 ? {} : { unknown: [...unknown] }),
    },
  };
}

function rulesOf({ field = [], pattern = [] }: AddOptions): AnonymizeRules {
  const { fields, patterns } = ANONYMIZE_DEFAULT;
  const own = Object.fromEntries(pattern.map((one, index) => [`own${index + 1}`, one]));
  return { fields: [...fields, ...field], patterns: { ...own, ...patterns } };
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function collectPattern(text: string, before: readonly RegExp[] = []): readonly RegExp[] {
  try {
    return [...before, new RegExp(text, "gu")];
  } catch {
    throw new InvalidArgumentError("It is no regular expression.");
  }
}
