/** @module Light or dark: as the system has it, unless chosen here. */
import { useSyncExternalStore } from "react";

const KEY = "troupe-colours";
const THEMES = ["system", "light", "dark"] as const;

/** A choice of colours. */
export type Theme = (typeof THEMES)[number];

const listeners = new Set<() => void>();

function read(): Theme {
  const held = localStorage.getItem(KEY);
  return THEMES.find((one) => one === held) ?? "system";
}

function show(chosen: Theme): void {
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}

/** The choice, kept in this browser. */
export const theme = {
  set: (chosen: Theme): void => {
    localStorage.setItem(KEY, chosen);
    show(chosen);
    for (const listen of listeners) listen();
  },
};

/** The choice after this one. */
export function nextTheme(chosen: Theme): Theme {
  return THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length] ?? "system";
}

/** The choice, as it changes. */
export function useTheme(): Theme {
  return useSyncExternalStore((listen) => {
    listeners.add(listen);
    return () => listeners.delete(listen);
  }, read);
}

show(read());
