/** @module The addresses of the screens, without the page's own prefix. Pure. */

const part = encodeURIComponent;

/** What a screen gets from its address. */
export interface ScreenProps {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** The addresses of screens. */
export const TO = {
  runs: (filter: Readonly<Record<string, string>> = {}): string => withQuery("/runs", filter),
  run: (id: string): string => `/runs/${part(id)}`,
  graph: (filter: Readonly<Record<string, string>> = {}): string => withQuery("/graph", filter),
  agents: "/agents",
  system: "/system",
  conversation: (id: string, work: string): string => `/runs/${part(id)}/works/${part(work)}`,
  replay: (id: string): string => `/runs/${part(id)}/replay`,
  fork: (id: string, at = ""): string => `/runs/${part(id)}/fork${at === "" ? "" : `?at=${part(at)}`}`,
  diff: (a: string, b: string): string => `/runs/${part(a)}/diff${b === "" ? "" : `/${part(b)}`}`,
  budget: (id: string): string => `/runs/${part(id)}/budget`,
  /** `from`: the process whose input the form begins with. */
  submit: (route = "", from = ""): string => withQuery("/submit", { route, from }),
  deadLetters: (filter: Readonly<Record<string, string>> = {}): string => withQuery("/deadletters", filter),
  deadLetter: (id: string): string => `/deadletters/${part(id)}`,
  inbox: (filter: Readonly<Record<string, string>> = {}): string => withQuery("/inbox", filter),
  request: (id: string): string => `/inbox/${part(id)}`,
  costs: (filter: Readonly<Record<string, string>> = {}): string => withQuery("/costs", filter),
  memories: "/memory",
  memory: (id: string, filter: Readonly<Record<string, string>> = {}): string => withQuery(`/memory/${part(id)}`, filter),
  releases: "/releases",
  drift: "/drift",
  digest: (filter: Readonly<Record<string, string>> = {}): string => withQuery("/digest", filter),
} as const;

/** A path with the fields of a filter that say something. */
export function withQuery(path: string, filter: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== "")).toString();
  return query === "" ? path : `${path}?${query}`;
}

/** Paths of the HTTP API. */
export const API = {
  letter: (id: string): string => `/deadletters/${part(id)}`,
  request: (id: string): string => `/inbox/${part(id)}`,
  process: (id: string): string => `/processes/${part(id)}`,
  conversation: (id: string, work: string): string => `/processes/${part(id)}/works/${part(work)}/conversation`,
  diff: (a: string, b: string): string => `/processes/${part(a)}/diff/${part(b)}`,
  memory: (id: string): string => `/memory/${part(id)}`,
  source: (name: string): string => `/sources/${part(name)}`,
  release: (agent: string): string => `/releases/${part(agent)}`,
} as const;
