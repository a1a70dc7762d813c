/** @module Definitions of sources. */
import { describe, expect, test } from "vitest";
import { source, type SourceOptions } from "../../agents/source.ts";
import { LIMITS } from "../../runtime/limits.ts";

const options: SourceOptions = { list: () => [], read: () => undefined };

describe("a source", () => {
  test("is untrusted and compared every five minutes, unless it says otherwise", () => {
    expect(source("handbook", options)).toMatchObject({ name: "handbook", untrusted: true, everyMs: LIMITS.sourceEveryMsDefault });
    expect(source("handbook", { ...options, untrusted: false, everyMs: 1_000 })).toMatchObject({ untrusted: false, everyMs: 1_000 });
  });

  test.each<readonly [string, () => unknown]>([
    ["no list", () => source("handbook", { read: options.read } as SourceOptions)],
    ["no read", () => source("handbook", { list: options.list } as SourceOptions)],
    ["an unknown option", () => source("handbook", { ...options, every: 5 } as SourceOptions)],
    ["a pause that is too short", () => source("handbook", { ...options, everyMs: LIMITS.sourceEveryMsMin - 1 })],
    ["a pause that is too long", () => source("handbook", { ...options, everyMs: LIMITS.sourceEveryMsMax + 1 })],
    ["untrusted as a text", () => source("handbook", { ...options, untrusted: "no" as unknown as boolean })],
    ["a name with a dot", () => source("hand.book", options)],
  ])("with %s is a wrong definition", (_what, define) => {
    expect(define).toThrow(expect.objectContaining({ code: "definition.invalid" }));
  });
});
