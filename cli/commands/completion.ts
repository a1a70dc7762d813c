/** @module `completion`: scripts with which bash and zsh complete the command, its options and their choices. */
import { Argument, type Command, type Option } from "commander";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { type Context, examples } from "./common.ts";

const SHELLS = ["bash", "zsh"] as const;

/** Adds the command. */
export function completion(parent: Command, context: Context): void {
  const command = parent
    .command("completion")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .description("print a script that completes commands, options and choices");
  examples(command, [
    ["source <(troupe completion bash)", "for this shell; add it to ~/.bashrc"],
    ["source <(troupe completion zsh)", "for this shell; add it to ~/.zshrc after compinit"],
  ]);
  command.action((shell: (typeof SHELLS)[number]) => {
    say(shell === "bash" ? bashScript(parent) : zshScript(parent));
    context.done(EXIT.ok);
  });
}

/** One command for the scripts: its words, and what may follow them. */
interface Place {
  readonly path: string;
  readonly words: readonly string[];
  readonly choices: readonly { readonly flag: string; readonly words: readonly string[] }[];
}

function placesOf(command: Command, path: string): readonly Place[] {
  const options = command.options.filter(({ hidden }) => !hidden);
  const own: Place = {
    path,
    words: [
      ...command.commands.map((child) => child.name()),
      ...(command.registeredArguments[0]?.argChoices ?? []),
      ...options.flatMap(flagsOf),
      "--help",
    ],
    choices: options
      .flatMap((option) => flagsOf(option).map((flag) => ({ flag, words: option.argChoices ?? [] })))
      .filter(({ words }) => words.length > 0),
  };
  return [own, ...command.commands.flatMap((child) => placesOf(child, `${path} ${child.name()}`))];
}

function flagsOf({ short, long }: Option): readonly string[] {
  return [short, long].filter((flag) => flag !== undefined);
}

/** A shell function that finds the deepest command typed so far and completes its options and choices; else file names. */
function bashScript(program: Command): string {
  const places = placesOf(program, program.name());
  const paths = places
    .filter(({ path }) => path.includes(" "))
    .map(({ path }) => `"${path}"`)
    .join("|");
  return [
    "_troupe() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" place="troupe" words="" index',
    "  for ((index = 1; index < COMP_CWORD; index++)); do",
    `    case "$place \${COMP_WORDS[index]}" in ${paths}) place="$place \${COMP_WORDS[index]}" ;; esac`,
    "  done",
    '  case "$place $before" in',
    ...places.flatMap(({ path, choices }) => choices.map(({ flag, words }) => `    "${path} ${flag}") words="${words.join(" ")}" ;;`)),
    '    *) case "$place" in',
    ...places.map(({ path, words }) => `      "${path}") words="${words.join(" ")}" ;;`),
    "    esac ;;",
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  [ ${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "$current"))',
    "}",
    "complete -o filenames -F _troupe troupe",
  ].join("\n");
}

/** zsh runs the bash function through bashcompinit. */
function zshScript(program: Command): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(program)}`;
}
