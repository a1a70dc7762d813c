/** @module The page: login, navigation, and the screen of the address. */
import { type FormEvent, type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import { FaultNote } from "../parts/blocks.tsx";
import { faultOf, type Page, PageContext, type PageFault } from "../parts/page.tsx";
import { get, LOGGED_OUT, logIn, logOut, post, who as askWho, type Who } from "./api.ts";
import { Boundary } from "./boundary.tsx";
import { useNews } from "./live.ts";
import { nextTheme, theme, useTheme } from "./theme.ts";
import { screenAt } from "./screens.tsx";
import { addressOf, go, useAddress } from "./address.ts";

const NAVIGATION: readonly (readonly [path: string, name: string])[] = [
  ["/", "Overview"],
  ["/runs", "Runs"],
  ["/inbox", "Inbox"],
  ["/deadletters", "Dead letters"],
  ["/submit", "Submit"],
  ["/graph", "Routes"],
  ["/agents", "Agents"],
  ["/memory", "Memory"],
  ["/costs", "Costs"],
  ["/releases", "Releases"],
  ["/drift", "Drift"],
  ["/digest", "Digest"],
  ["/system", "System"],
];

/** The whole page. */
export function App(): ReactNode {
  const [who, setWho] = useState<Who>();
  const [fault, setFault] = useState<PageFault>();
  const load = useCallback(async () => {
    try {
      await redeemCode();
      setWho(await askWho());
      setFault(undefined);
    } catch (error) {
      setFault(faultOf(error));
      setWho((known) => known ?? { system: "", loggedIn: false });
    }
  }, []);
  useEffect(() => {
    const ask = (): void => void load();
    ask();
    addEventListener(LOGGED_OUT, ask);
    return () => removeEventListener(LOGGED_OUT, ask);
  }, [load]);
  if (who === undefined) return <main className="s-center" aria-busy="true" />;
  if (!who.loggedIn) return <Login who={who} fault={fault} done={load} />;
  return <Frame who={who} left={load} />;
}

/** A link of `troupe ui` carries a code in its fragment, which no server sees. It leaves the address at once. */
async function redeemCode(): Promise<void> {
  const code = /^#code=(.+)$/.exec(location.hash)?.[1];
  if (code === undefined) return;
  history.replaceState(null, "", location.pathname + location.search);
  await logIn({ code });
}

function Login({
  who,
  fault,
  done,
}: {
  readonly who: Who;
  readonly fault: PageFault | undefined;
  readonly done: () => Promise<void>;
}): ReactNode {
  const [token, setToken] = useState("");
  const [own, setOwn] = useState<PageFault>();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    logIn({ token }).then(done, (error: unknown) => setOwn(faultOf(error)));
  };
  const shown = own ?? fault;
  return (
    <main className="s-center p-screen">
      <form className="s-login" onSubmit={send}>
        <h1>Troupe{who.system === "" ? "" : `: ${who.system}`}</h1>
        <p>
          <code>troupe ui</code> prints a link that logs you in. Or give a token of this system:
        </p>
        <label>
          Token
          <input type="password" autoComplete="current-password" value={token} onChange={({ target }) => setToken(target.value)} required />
        </label>
        <button type="submit" className="p-button-main">
          Log in
        </button>
        {shown === undefined ? null : <FaultNote fault={shown} />}
      </form>
    </main>
  );
}

function Frame({ who, left }: { readonly who: Who; readonly left: () => Promise<void> }): ReactNode {
  const address = useAddress();
  const { news, isLive } = useNews();
  const roles = useMemo(() => new Set(who.roles), [who.roles]);
  const page = useMemo((): Page => ({ get, post, roles, news, nowMs: () => Date.now(), go, href: addressOf }), [roles, news]);
  return (
    <PageContext value={page}>
      <a className="s-skip" href="#screen">
        To the content
      </a>
      <div className="s-frame">
        <Navigation path={address.path} who={who} isLive={isLive} left={left} />
        <main id="screen" className="p-screen" tabIndex={-1}>
          <Boundary key={address.path}>{screenAt(address)}</Boundary>
        </main>
      </div>
    </PageContext>
  );
}

interface NavigationProps {
  readonly path: string;
  readonly who: Who;
  readonly isLive: boolean;
  readonly left: () => Promise<void>;
}

function Navigation({ path, who, isLive, left }: NavigationProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <header className="s-side" data-open={isOpen}>
      <div className="s-brand">
        <strong>{who.system}</strong>
        <span
          className="s-live"
          data-live={isLive}
          title={isLive ? "Changes are shown as they happen" : "The host does not send changes now"}
        >
          {isLive ? "live" : "not live"}
        </span>
        <button type="button" className="s-menu" aria-expanded={isOpen} aria-controls="navigation" onClick={() => setOpen(!isOpen)}>
          Menu
        </button>
      </div>
      <nav id="navigation" aria-label="Screens">
        {NAVIGATION.map(([to, name]) => (
          <a
            key={to}
            href={addressOf(to)}
            aria-current={isAt(path, to) ? "page" : undefined}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              go(to);
            }}
          >
            {name}
          </a>
        ))}
      </nav>
      <Foot who={who} left={left} />
    </header>
  );
}

function isAt(path: string, to: string): boolean {
  return to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
}

function Foot({ who, left }: { readonly who: Who; readonly left: () => Promise<void> }): ReactNode {
  const shown = useTheme();
  return (
    <div className="s-foot">
      <button type="button" onClick={() => theme.set(nextTheme(shown))}>
        Colours: {shown}
      </button>
      <span title={`Roles: ${(who.roles ?? []).join(", ")}`}>{who.subject}</span>
      {who.open === true ? null : (
        <button type="button" onClick={() => void logOut().then(left)}>
          Log out
        </button>
      )}
    </div>
  );
}
