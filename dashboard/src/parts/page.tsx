/**
 * @module What screens need of the page around them: the HTTP API, the caller's roles, the clock, and the way to other screens. The shell
 * gives it; tests give another.
 */
import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from "react";

/** A fault as the page shows it. */
export interface PageFault {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly traceId?: string | undefined;
}

/** Values of a query. What is absent or empty is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** What the shell gives to screens. Both calls reject with a {@link PageFault}. */
export interface Page {
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  readonly roles: ReadonlySet<string>;
  /** Counts up when something in the system has changed. */
  readonly news: number;
  nowMs(): number;
  /** Opens another screen of the page. `inPlace`: the same one with another choice, which is no step back in the browser. */
  go(path: string, options?: { readonly inPlace?: boolean }): void;
  /** The address of a screen. */
  href(path: string): string;
}

/** The page around the screens. */
export const PageContext = createContext<Page | undefined>(undefined);

/** The page around this screen. */
export function usePage(): Page {
  const page = use(PageContext);
  if (page === undefined) throw new Error("a screen stands outside of a page");
  return page;
}

/** What is known of an answer. */
export interface Loaded<T> {
  readonly data: T | undefined;
  readonly fault: PageFault | undefined;
  readonly isLoading: boolean;
  reload(): void;
}

/** Whether a thrown value is a fault of the API. */
function isPageFault(error: unknown): error is PageFault {
  return typeof error === "object" && error !== null && "code" in error && "fix" in error;
}

/** A thrown value as a fault. */
export function faultOf(error: unknown): PageFault {
  if (isPageFault(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return { code: "page.defect", message, fix: "Load the page again. If it stays, report it with the steps that led here." };
}

/** The newest answer so far, of the request with this number. */
interface Held<T> {
  readonly key: string;
  readonly asked: number;
  readonly data?: T;
  readonly fault?: PageFault;
}

/** Loads an answer, and again at each news. An undefined path loads nothing. The last answer stays while the next one is on its way. */
export function useLoad<T>(path: string | undefined, query: Query = {}): Loaded<T> {
  const page = usePage();
  const key = path === undefined ? "" : `${path}?${JSON.stringify(query)}`;
  const [held, setHeld] = useState<Held<T>>({ key: "", asked: 0 });
  const [again, setAgain] = useState(0);
  const count = useRef(0);
  const wanted = useRef<string>(undefined);
  const reload = useCallback(() => setAgain((before) => before + 1), []);
  useEffect(() => {
    wanted.current = path === undefined ? undefined : key;
    return () => {
      wanted.current = undefined;
    };
  }, [key]);
  useEffect(() => {
    if (path === undefined) return;
    count.current += 1;
    const asked = count.current;
    // News may come faster than answers, so each answer counts that is newer than what is shown.
    const take = (next: (old: Held<T>) => Held<T>): void => {
      if (wanted.current === key) setHeld((old) => (old.key === key && old.asked > asked ? old : next(old)));
    };
    page.get<T>(path, query).then(
      (data) => take(() => ({ key, asked, data })),
      (error: unknown) => take((old) => ({ ...(old.key === key ? old : {}), key, asked, fault: faultOf(error) })),
    );
  }, [key, page.news, again]);
  const isOwn = held.key === key;
  return {
    data: isOwn ? held.data : undefined,
    fault: isOwn ? held.fault : undefined,
    isLoading: path !== undefined && !isOwn,
    reload,
  };
}

/** A link to another screen. */
export function Link({
  to,
  children,
  className,
}: {
  readonly to: string;
  readonly children: ReactNode;
  readonly className?: string;
}): ReactNode {
  const page = usePage();
  return (
    <a
      href={page.href(to)}
      className={className}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        page.go(to);
      }}
    >
      {children}
    </a>
  );
}
