/** @module The make-up of a context as a bar: bytes by source and trust. The legend says the same in words. */
import type { ReactNode } from "react";
import type { ContextPart } from "../../../runtime/conversation-view.ts";
import { bytesText, shareText } from "./format.ts";
import { segmentsOf } from "./context-make-up.ts";

const HEIGHT_SIZE = 14;
const WIDTH = 1_000;
const GAP_WIDTH = 2;
/** Tints of trusted and of untrusted segments. */
const TINTS = 5;

/** The bar with its legend. */
export function ContextBar({ parts }: { readonly parts: readonly ContextPart[] }): ReactNode {
  const segments = segmentsOf(parts);
  if (segments.length === 0) return null;
  const total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const tinted = segments.map((segment, index) => ({
    ...segment,
    tint: segments.slice(0, index).filter(({ trusted }) => trusted === segment.trusted).length % TINTS,
  }));
  return (
    <figure className="p-context">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT_SIZE}`} preserveAspectRatio="none" aria-hidden="true">
        {tinted.map(({ source, trusted, share, from, tint }) => (
          <rect
            key={`${source} ${trusted}`}
            className={`p-tint-${trusted ? "t" : "u"}${tint}`}
            x={from * WIDTH}
            width={Math.max(1, share * WIDTH - GAP_WIDTH)}
            height={HEIGHT_SIZE}
          />
        ))}
      </svg>
      <figcaption>
        <span className="p-faint">Context {bytesText(total)}</span>
        {tinted.map(({ source, trusted, share, bytes, tint }) => (
          <span key={`${source} ${trusted}`} className="p-legend" title={bytesText(bytes)}>
            <i className={`p-swatch p-tint-${trusted ? "t" : "u"}${tint}`} aria-hidden="true" />
            {source}
            {trusted ? "" : " (untrusted)"} {shareText(share)}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
