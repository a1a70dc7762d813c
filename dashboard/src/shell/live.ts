/** @module What has changed in the system, as the host tells it: one stream for the whole page, which resumes by itself. */
import { useEffect, useRef, useState } from "react";

/** Changes within this time are told together. */
const TOGETHER_MS = 400;
/** While the host tells nothing, the screens look again this often, and a stream that was refused is opened again. */
const LOOK_MS = 5_000;

/** What a stream is heard for. */
interface Hearing {
  /** Called for these events. */
  readonly events: readonly string[];
  readonly heard: (event: string) => void;
  /** The stream is open. `isAgain`: what was told meanwhile may be lost. */
  readonly opened: (isAgain: boolean) => void;
  readonly lost: () => void;
  /** Called every {@link LOOK_MS} while the stream is not open. */
  readonly missed: () => void;
}

/**
 * A stream of events until the returned function is called. A browser opens a stream again after a lost connection, and never after a
 * refusal, such as the 503 of a host that stops; this one is opened again then too.
 */
function listen(path: string, { events, heard, opened, lost, missed }: Hearing): () => void {
  let isAgain = false;
  const open = (): EventSource => {
    const source = new EventSource(path);
    source.addEventListener("open", () => {
      opened(isAgain);
      isAgain = true;
    });
    source.addEventListener("error", lost);
    for (const event of events) source.addEventListener(event, () => heard(event));
    return source;
  };
  let source = open();
  const look = setInterval(() => {
    if (source.readyState === EventSource.OPEN) return;
    missed();
    if (source.readyState === EventSource.CLOSED) source = open();
  }, LOOK_MS);
  return () => {
    source.close();
    clearInterval(look);
  };
}

/** Calls a function once for several calls within {@link TOGETHER_MS}. */
function together(call: () => void): { readonly tell: () => void; readonly cancel: () => void } {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  return {
    tell: () => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        call();
      }, TOGETHER_MS);
    },
    cancel: () => clearTimeout(waiting),
  };
}

/** Counts up when something has changed. `isLive`: the host tells changes. */
export function useNews(): { readonly news: number; readonly isLive: boolean } {
  const [news, setNews] = useState(0);
  const [isLive, setLive] = useState(false);
  useEffect(() => {
    const { tell, cancel } = together(() => setNews((count) => count + 1));
    const close = listen("/events", {
      events: ["changed"],
      heard: tell,
      opened: (isAgain) => {
        setLive(true);
        if (isAgain) tell();
      },
      lost: () => setLive(false),
      missed: tell,
    });
    return () => {
      close();
      cancel();
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
    const { tell, cancel } = together(() => latest.current());
    const close = listen(`/processes/${encodeURIComponent(id)}/events`, {
      events: ["line", "outcome"],
      heard: (event) => {
        tell();
        if (event === "outcome") close();
      },
      opened: (isAgain) => {
        if (isAgain) tell();
      },
      lost: () => {},
      missed: () => {},
    });
    return () => {
      close();
      cancel();
    };
  }, [id]);
}
