/** @module The make-up of a model's context as segments of a bar, and what is new in each request. Pure. */
import type { ContextPart, ConversationView, ExchangeView } from "../../../runtime/conversation-view.ts";

/** One segment of the bar: bytes of one source. */
export interface Segment {
  readonly source: string;
  readonly trusted: boolean;
  readonly bytes: number;
  /** Of the whole, 0 to 1. */
  readonly share: number;
  /** Of the segments before it, 0 to 1. */
  readonly from: number;
}

/** The segments in a steady order: trusted ones first, then by size; parts of the same source and trust are one. */
export function segmentsOf(parts: readonly ContextPart[]): readonly Segment[] {
  const sums = new Map<string, ContextPart>();
  for (const part of parts) {
    const key = `${part.trusted} ${part.source}`;
    sums.set(key, { ...part, bytes: part.bytes + (sums.get(key)?.bytes ?? 0) });
  }
  const total = [...sums.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  if (total === 0) return [];
  const ordered = [...sums.values()].toSorted((a, b) => Number(b.trusted) - Number(a.trusted) || b.bytes - a.bytes);
  let before = 0;
  return ordered.map(({ source, trusted, bytes }) => {
    const segment = { source, trusted, bytes, share: bytes / total, from: before / total };
    before += bytes;
    return segment;
  });
}

/** What a conversation has used in all. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
}

/** The sums of all exchanges. */
export function usageOf({ exchanges }: Pick<ConversationView, "exchanges">): Usage {
  const sum = (of: (exchange: ExchangeView) => number | undefined): number => exchanges.reduce((total, one) => total + (of(one) ?? 0), 0);
  return { inputTokens: sum((one) => one.inputTokens), outputTokens: sum((one) => one.outputTokens), usd: sum((one) => one.usd) };
}
