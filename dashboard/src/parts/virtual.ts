/** @module Long lists: only the rows that are in sight, and a few around them, are in the page. */
import { type RefObject, useEffect, useRef, useState } from "react";

/** Rows beyond the edges of the sight, so that scrolling shows no gap. */
const AROUND_ROWS = 6;
/** The rows of a place whose height is not known yet. */
const FIRST_ROWS = 40;

/** The rows to show: from `from`, up to but without `to`. */
export interface Sight {
  readonly place: RefObject<HTMLDivElement | null>;
  readonly from: number;
  readonly to: number;
  /** Scrolls a row into sight. */
  reveal(index: number): void;
}

/** The rows in sight of a scrolled place in which each row has the same height. `atEnd` is called near the last row. */
export function useSight(count: number, rowPx: number, atEnd?: () => void): Sight {
  const place = useRef<HTMLDivElement>(null);
  const [rows, setRows] = useState({ first: 0, shown: FIRST_ROWS });
  useEffect(() => {
    const node = place.current;
    if (node === null) return undefined;
    const look = (): void => {
      const [first, shown] = [Math.floor(node.scrollTop / rowPx), Math.ceil(node.clientHeight / rowPx)];
      setRows((old) => (old.first === first && old.shown === shown ? old : { first, shown }));
    };
    look();
    const watcher = new ResizeObserver(look);
    watcher.observe(node);
    node.addEventListener("scroll", look, { passive: true });
    return () => {
      watcher.disconnect();
      node.removeEventListener("scroll", look);
    };
  }, [rowPx]);
  const from = Math.max(0, Math.min(rows.first, count - rows.shown) - AROUND_ROWS);
  const to = Math.min(count, rows.first + rows.shown + AROUND_ROWS);
  const isAtEnd = to >= count;
  useEffect(() => {
    if (isAtEnd) atEnd?.();
  }, [isAtEnd, count]);
  const reveal = (index: number): void => {
    const node = place.current;
    if (node === null) return;
    const [top, bottom] = [index * rowPx, (index + 1) * rowPx];
    if (top < node.scrollTop) node.scrollTop = top;
    else if (bottom > node.scrollTop + node.clientHeight) node.scrollTop = bottom - node.clientHeight;
  };
  return { place, from, to, reveal };
}
