/**
 * @module The resources of an MCP server as a source of documents.
 *
 * The version of a resource is the time of its last change, if the server says it, else the hash of its text, for which it is read.
 */
import { invalid, requireKeys } from "../agents/definition.ts";
import { source, type SourceDefinition, type SourceOptions } from "../agents/source.ts";
import { hashText } from "../runtime/canonical.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { ListedDocument } from "../runtime/memory/compare.ts";
import type { McpPlace } from "./place.ts";
import { requirePlace } from "./server.ts";
import { type McpResource, openSession, type Session } from "./session.ts";

/** Options of {@link mcpSource}. */
export interface McpSourceOptions extends Pick<SourceOptions, "everyMs"> {
  /** Beginnings of the URIs that are read. @default all */
  readonly within?: readonly string[] | undefined;
}

/**
 * Defines a source of the texts among the resources of an MCP server. The id of a document is its URI. What a server says is never trusted.
 * A resource of more than 32 KiB is not taken.
 * @throws `definition.invalid`
 */
export function mcpSource(name: string, place: McpPlace, options: McpSourceOptions = {}): SourceDefinition {
  const where = `source ${JSON.stringify(name)}`;
  requireKeys(options, where, ["everyMs", "within"]);
  requirePlace(place, where);
  const { within = [""], everyMs } = options;
  if (!Array.isArray(within) || within.some((start) => typeof start !== "string"))
    throw invalid(where, "within must be a list of beginnings of URIs");
  const reader = new ResourceReader(name, place);
  return source(name, {
    everyMs,
    list: (_cursor, { signal }) =>
      reader.use(async (session) => {
        const resources = await session.resources(signal);
        return listed(
          session,
          resources.filter(({ uri }) => within.some((start) => uri.startsWith(start))),
          signal,
        );
      }),
    read: (id, { signal }) => reader.use((session) => session.readResource(id, signal)),
  });
}

async function listed(session: Session, resources: readonly McpResource[], signal: AbortSignal): Promise<readonly ListedDocument[]> {
  const documents: ListedDocument[] = [];
  for (const { uri, lastModified } of resources) {
    signal.throwIfAborted();
    const text = lastModified === undefined ? await session.readResource(uri, signal) : undefined;
    const version = lastModified ?? (text === undefined ? undefined : hashText(text));
    if (version !== undefined) documents.push({ id: uri, version });
  }
  return documents;
}

/** A session that is opened by the first use and closed when it was not used for a moment. */
class ResourceReader {
  readonly #name: string;
  readonly #place: McpPlace;
  #opening: Promise<Session> | undefined;
  #prior: Session["prior"];
  #uses = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(name: string, place: McpPlace) {
    this.#name = name;
    this.#place = place;
  }

  async use<T>(act: (session: Session) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#uses += 1;
    try {
      const session = await (this.#opening ??= this.#open());
      return await act(session);
    } catch (error) {
      // The next use opens it again.
      this.#close();
      throw error;
    } finally {
      this.#uses -= 1;
      if (this.#uses === 0) this.#idle = setTimeout(() => this.#close(), LIMITS.mcpIdleMs);
    }
  }

  async #open(): Promise<Session> {
    const prior = this.#prior;
    this.#prior = undefined;
    const session = await openSession(this.#place, this.#name, prior, { line: () => {}, closed: () => {}, toolsChanged: () => {} });
    this.#prior = session.prior;
    return session;
  }

  #close(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    void opening?.then((session) => session.close()).catch(() => {});
  }
}
