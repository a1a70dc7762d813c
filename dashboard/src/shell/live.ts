/** @module What has changed in the system, as the host tells it: one stream for the whole page, which resumes by itself. */
import { useEffect, useRef, useState } from "react";

/** Changes within this time are told together. */
const TOGETHER_MS = 400;
/** While the host tells nothing, the screens look again this often. */
const LOOK_MS = 5_000;

/** Counts up when something has changed. `isLive`: the host tells changes. */
export function useNews(): { readonly news: number; readonly isLive: boolean } {
  const [news, setNews] = useState(0);
  const [isLive, setLive] = useState(false);
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const changed = (): void => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        setNews((count) => count + 1);
      }, TOGETHER_MS);
    };
    const source = new EventSource("/events");
    source.addEventListener("open", () => setLive(true));
    source.addEventListener("changed", changed);
    source.addEventListener("error", () => setLive(false));
    const look = setInterval(() => {
      if (source.readyState !== EventSource.OPEN) changed();
    }, LOOK_MS);
    return () => {
      source.close();
      clearInterval(look);
      clearTimeout(waiting);
    };
  }, []);
  return { news, isLive };
}

/** Follows an open process: `changed` is called after each of its steps. The stream resumes by itself after the last line that came. */
export function useFollowed(id: string | undefined, changed: () => void): void {
  const latest = useRef(changed);
  latest.current = changed;
  useEffect(() => {
    if (id === undefined) return undefined;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const tell = (): void => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        latest.current();
      }, TOGETHER_MS);
    };
    const source = new EventSource(`/processes/${encodeURIComponent(id)}/events`);
    source.addEventListener("line", tell);
    source.addEventListener("outcome", () => {
      tell();
      source.close();
    });
    return () => {
      source.close();
      clearTimeout(waiting);
    };
  }, [id]);
}
