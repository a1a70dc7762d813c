/** @module The smallest page around the screens, for their tests: it routes, calls the HTTP API of its own origin, and has no shell. */
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import { type Page, PageContext, type PageFault, type Query } from "../src/parts/page.tsx";
import { ACT_SCREENS, fitting } from "../src/screens/table.ts";
import "../src/parts/parts.css";
import "./page.css";

const BASE = "/ui";
const LOST: PageFault = { code: "page.offline", message: "The host does not answer.", fix: "Look whether the app runs, then try again." };

async function call<T>(path: string, body?: unknown): Promise<T> {
  const sent = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, sent).catch(() => Promise.reject(LOST));
  const answer = (await response.json()) as { readonly error?: PageFault; readonly traceId?: string };
  if (response.ok) return answer as T;
  return Promise.reject({ ...(answer.error ?? LOST), traceId: answer.traceId });
}

function withQuery(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}

function App({ roles }: { readonly roles: ReadonlySet<string> }): ReactNode {
  const [at, setAt] = useState(() => location.pathname + location.search);
  useEffect(() => {
    const back = (): void => setAt(location.pathname + location.search);
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);
  const page = useMemo<Page>(
    () => ({
      get: (path, query) => call(withQuery(path, query)),
      post: (path, body) => call(path, body),
      roles,
      news: 0,
      nowMs: () => Date.now(),
      go: (path) => {
        history.pushState(null, "", BASE + path);
        setAt(BASE + path);
      },
      href: (path) => BASE + path,
    }),
    [roles],
  );
  const [path = "", query = ""] = at.slice(BASE.length).split("?");
  const found = Object.entries(ACT_SCREENS).flatMap(([pattern, screen]) => {
    const params = fitting(pattern, path);
    return params === undefined ? [] : [{ screen, params }];
  })[0];
  const Screen = found?.screen;
  return (
    <PageContext value={page}>
      <main className="p-screen">
        {Screen === undefined ? <h1>{path}</h1> : <Screen key={path} params={found?.params ?? {}} query={new URLSearchParams(query)} />}
      </main>
    </PageContext>
  );
}

const root = document.getElementById("root");
if (root !== null) {
  const session = await call<{ readonly roles: readonly string[] }>("/ui/session");
  createRoot(root).render(<App roles={new Set(session.roles)} />);
}
