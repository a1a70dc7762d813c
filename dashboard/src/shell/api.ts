/** @module The one place of the dashboard that calls the HTTP API. The session's cookie goes along by itself. */
import type { PageFault, Query } from "../parts/page.tsx";

/** Whom the page acts for. */
export interface Who {
  readonly system: string;
  readonly loggedIn: boolean;
  /** The host needs no token. */
  readonly open?: boolean;
  readonly subject?: string;
  readonly tenant?: string;
  readonly roles?: readonly string[];
  readonly personRoles?: readonly string[];
}

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string; readonly fix?: string };
  readonly traceId?: string;
}

/** An event of the window: the host takes no more calls of this session. */
export const LOGGED_OUT = "troupe-logged-out";

const UNREACHABLE: PageFault = {
  code: "page.unreachable",
  message: "the host does not answer",
  fix: "Look whether it runs: `troupe ps`. The page goes on by itself when it answers again.",
};

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw UNREACHABLE;
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as T;
  const { error, traceId } = (answer ?? {}) as ErrorBody;
  // The session is over, or its token was removed: the page asks for a login.
  if (error?.code === "auth.token" && !path.startsWith("/ui/")) dispatchEvent(new Event(LOGGED_OUT));
  throw {
    code: error?.code ?? `http.${response.status}`,
    message: error?.message ?? "the host answered with an error",
    fix: error?.fix ?? "Try again.",
    traceId,
  } satisfies PageFault;
}

/** Reads. Rejects with a {@link PageFault}. */
export function get<T>(path: string, query: Query = {}): Promise<T> {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== "") words.set(name, String(value));
  const text = words.toString();
  return call("GET", text === "" ? path : `${path}?${text}`);
}

/** Acts. Rejects with a {@link PageFault}. */
export function post<T>(path: string, body: unknown): Promise<T> {
  return call("POST", path, body);
}

/** Whom the page acts for. */
export function who(): Promise<Who> {
  return get("/ui/session");
}

/** Logs in with a token or with the code of a link. */
export function logIn(login: { readonly token: string } | { readonly code: string }): Promise<unknown> {
  return post("/ui/session", login);
}

/** Ends the session. */
export function logOut(): Promise<unknown> {
  return call("DELETE", "/ui/session");
}
