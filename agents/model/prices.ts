/**
 * @module Prices of models, as dated data. Prices change: give an endpoint a `price`, or `prices` with a table of your own.
 *
 * A model that is not listed has no price. It is not estimated: with a budget of money, its calls are refused.
 */
import type { ModelPrice } from "./endpoint.ts";

/** Prices by model, with the day on which they were read and where. */
export interface PriceTable {
  /** Year, month and day. */
  readonly asOf: string;
  readonly source: string;
  readonly models: Readonly<Record<string, ModelPrice>>;
}

const usd = (inputPerMillion: number, outputPerMillion: number): ModelPrice => ({ inputPerMillion, outputPerMillion });

/**
 * Standard prices of OpenAI; compare them with the source before you rely on them. Cached input costs less, so that a cost is an upper
 * bound.
 */
export const PRICES: PriceTable = {
  asOf: "2026-03-21",
  source: "https://developers.openai.com/api/docs/pricing, as other pages quote it",
  models: {
    "gpt-5.4": usd(2.5, 15),
    "gpt-5.4-mini": usd(0.75, 4.5),
    "gpt-5.2": usd(1.75, 14),
    "gpt-5.1": usd(1.25, 10),
    "gpt-5": usd(1.25, 10),
    "gpt-5-mini": usd(0.25, 2),
    "gpt-5-nano": usd(0.05, 0.4),
    "gpt-4.1": usd(2, 8),
    "gpt-4.1-mini": usd(0.4, 1.6),
    "gpt-4.1-nano": usd(0.1, 0.4),
    "gpt-4o": usd(2.5, 10),
    "gpt-4o-mini": usd(0.15, 0.6),
    o3: usd(2, 8),
    "o3-mini": usd(1.1, 4.4),
    "o4-mini": usd(1.1, 4.4),
  },
};

const DATED = /-\d{4}-\d{2}-\d{2}$/;

/** The price of a model in a table; a dated version such as `gpt-5-mini-2025-08-07` has that of its model. */
export function priceIn({ models }: PriceTable, model: string): ModelPrice | undefined {
  const name = [model, model.replace(DATED, "")].find((one) => Object.hasOwn(models, one));
  return name === undefined ? undefined : models[name];
}
