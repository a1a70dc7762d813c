/** @module Where an MCP server is. */

/** Values that may be read when a connection opens, so that secrets need not stand in a definition. */
export type Settings =
  Readonly<Record<string, string>> | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** A server that is started as a process of the host, and talks over its standard streams. */
export interface McpProcess {
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** Variables of its environment, beside PATH, HOME and the like. The host's own environment is not passed on. */
  readonly env?: Settings | undefined;
  readonly cwd?: string | undefined;
}

/** A server that is reached by streamable HTTP. */
export interface McpUrl {
  readonly url: string;
  /** Headers of each request, such as `authorization`. */
  readonly headers?: Settings | undefined;
}

/** Where a server is. */
export type McpPlace = McpProcess | McpUrl;
