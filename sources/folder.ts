/**
 * @module A folder as a source: each text file is a document, a large one several.
 *
 * Symbolic links and names that begin with a dot are left out, so that nothing outside of the folder is read by accident. The version of a
 * document is the time of change, size and identity of its file.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { invalid, requireKeys } from "../agents/definition.ts";
import { source, type SourceDefinition, type SourceOptions } from "../agents/source.ts";
import { textBytes } from "../runtime/canonical.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { ListedDocument } from "../runtime/memory/compare.ts";

/** Options of {@link folderSource}. */
export interface FolderSourceOptions extends Pick<SourceOptions, "everyMs" | "untrusted"> {
  /** Ends of the names of files that are read. @default [".md", ".txt"] */
  readonly endings?: readonly string[] | undefined;
}

/** Room in a document for quotes and escapes of its JSON text. */
const PART_BYTES_MAX = LIMITS.factBytesMax / 2;
const ENDINGS_DEFAULT = [".md", ".txt"];
/** Between the path of a file and the number of its part, from the second part on. */
const PART_MARK = "#";

/**
 * Defines a source of the text files below a folder. The id of a document is its path in the folder, with slashes; of a large file, the
 * parts from the second on are `<path>#2` and so on. A folder that cannot be read changes nothing.
 * @throws `definition.invalid`
 */
export function folderSource(name: string, path: string | URL, options: FolderSourceOptions = {}): SourceDefinition {
  const where = `source ${JSON.stringify(name)}`;
  requireKeys(options, where, ["everyMs", "untrusted", "endings"]);
  const { endings = ENDINGS_DEFAULT, ...rest } = options;
  if (!Array.isArray(endings) || endings.length === 0 || endings.some((ending) => typeof ending !== "string"))
    throw invalid(where, "endings must be a list of texts such as .md");
  const folder = path instanceof URL ? decodeURIComponent(path.pathname) : path;
  if (typeof folder !== "string" || folder === "") throw invalid(where, "the path must be that of a folder");
  return source(name, {
    ...rest,
    list: (_cursor, { signal }) => listed(folder, endings, signal),
    read: async (id) => (await partsIn(join(folder, pathOf(id))))?.[numberOf(id) - 1],
  });
}

async function listed(folder: string, endings: readonly string[], signal: AbortSignal): Promise<readonly ListedDocument[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((id) => !id.split("/").some((part) => part.startsWith(".")));
  const documents: ListedDocument[] = [];
  for (const id of files.sort()) {
    signal.throwIfAborted();
    documents.push(...(await documentsOf(folder, id)));
  }
  return documents;
}

async function documentsOf(folder: string, id: string): Promise<readonly ListedDocument[]> {
  const file = join(folder, id);
  const found = await unlessGone(stat(file, { bigint: true }));
  if (found === undefined) return [];
  const version = `${found.mtimeNs}-${found.size}-${found.ino}`;
  const count = found.size <= PART_BYTES_MAX ? 1 : ((await partsIn(file))?.length ?? 0);
  return Array.from({ length: count }, (_, index) => ({ id: index === 0 ? id : `${id}${PART_MARK}${index + 1}`, version }));
}

function numberOf(id: string): number {
  return Number(/#(\d+)$/.exec(id)?.[1] ?? 1);
}

function pathOf(id: string): string {
  return id.replace(/#\d+$/, "");
}

/** The text of a file in parts; undefined if it is gone. */
async function partsIn(file: string): Promise<readonly string[] | undefined> {
  const text = await unlessGone(readFile(file, "utf8"));
  return text === undefined ? undefined : partsOf(text);
}

/** A text in parts of limited size that end with a line, where a line is not too long itself. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let [part, bytes] = ["", 0];
  for (const line of text.split(/(?<=\n)/).flatMap(pieces)) {
    const more = textBytes(line);
    if (part !== "" && bytes + more > PART_BYTES_MAX) {
      parts.push(part);
      [part, bytes] = ["", 0];
    }
    part += line;
    bytes += more;
  }
  return [...parts, part];
}

const PIECE = new RegExp(`.{1,${PART_BYTES_MAX / 4}}`, "gsu");

function pieces(line: string): readonly string[] {
  return textBytes(line) <= PART_BYTES_MAX ? [line] : (line.match(PIECE) ?? []);
}

async function unlessGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
