/** @module The address of the page: which screen it names, and how it changes. */
import { useSyncExternalStore } from "react";

const PREFIX = "/ui";
const CHANGED = "troupe-address";

/** Where the page is. */
export interface Address {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The address of a screen in the browser. */
export function addressOf(path: string): string {
  return path === "/" ? PREFIX : `${PREFIX}${path}`;
}

/** Opens a screen. `inPlace`: the same one with another choice, which is no step back in the browser. */
export function go(path: string, { inPlace = false }: { readonly inPlace?: boolean } = {}): void {
  if (inPlace) history.replaceState(null, "", addressOf(path));
  else history.pushState(null, "", addressOf(path));
  dispatchEvent(new Event(CHANGED));
  if (inPlace) return;
  document.getElementById("screen")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function subscribe(listen: () => void): () => void {
  addEventListener("popstate", listen);
  addEventListener(CHANGED, listen);
  return () => {
    removeEventListener("popstate", listen);
    removeEventListener(CHANGED, listen);
  };
}

let known: { readonly text: string; readonly address: Address } | undefined;

function current(): Address {
  const text = location.pathname + location.search;
  if (known?.text === text) return known.address;
  const path = location.pathname.slice(PREFIX.length).replace(/\/+$/, "");
  known = { text, address: { path: path === "" ? "/" : path, query: new URLSearchParams(location.search) } };
  return known.address;
}

/** The address, as it changes. */
export function useAddress(): Address {
  return useSyncExternalStore(subscribe, current);
}
