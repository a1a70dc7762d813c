/** @module How long a provider asks to wait, in all forms. */
import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../../runtime/model/retry-after.ts";

const NOW_MS = Date.UTC(2026, 9, 21, 7, 28, 0);
const LATER = new Date(NOW_MS + 12_000).toUTCString();
const EARLIER = new Date(NOW_MS - 12_000).toUTCString();

type Headers = Readonly<Record<string, string>>;
const wait = (headers: Headers, text = ""): number | undefined => retryAfterMs((name) => headers[name], text, NOW_MS);

describe("the pause that a provider asks for", () => {
  it.each<readonly [Headers, number | undefined]>([
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after": " 0.25 " }, 250],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "-1" }, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "1e3" }, undefined],
    [{ "retry-after": LATER }, 12_000],
    [{ "retry-after": EARLIER }, 0],
    // The clock of the server counts, not that of this host.
    [{ "retry-after": LATER, date: EARLIER }, 24_000],
    [{ "retry-after-ms": "1500" }, 1_500],
    [{ "retry-after-ms": "1500", "retry-after": "9" }, 1_500],
    [{ "retry-after-ms": "soon", "retry-after": "9" }, 9_000],
    [{ "retry-after-ms": "-1", "retry-after": "-1", "x-ratelimit-reset-requests": "2s" }, 2_000],
    [{ "x-ratelimit-reset-tokens": "6m0s" }, 360_000],
    [{ "x-ratelimit-reset-tokens": "1h2m3s" }, 3_723_000],
    [{ "x-ratelimit-reset-tokens": "1m2.5s" }, 62_500],
    [{ "x-ratelimit-reset-tokens": "20ms" }, 20],
    [{ "x-ratelimit-reset-tokens": "5" }, 5_000],
    [{ "x-ratelimit-reset-tokens": "5 apples" }, undefined],
    [{ "x-ratelimit-reset": String(NOW_MS / 1_000 + 30) }, 30_000],
    [{ "x-ratelimit-reset": String(NOW_MS + 30_000) }, 30_000],
    [{ "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "9s" }, 9_000],
    [{ "x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-tokens": "9s" }, 1_000],
    [{}, undefined],
  ])("%j is %j ms", (headers, expected) => expect(wait(headers)).toBe(expected));

  it.each<readonly [string, number | undefined]>([
    ["Please retry after 6 seconds.", 6_000],
    ["Please retry after 1 second", 1_000],
    ["Rate limit reached. Please try again in 1.5s. Visit the page", 1_500],
    ["Please try again in 120ms.", 120],
    ["try again in 1m30s", 90_000],
    ["Please wait 2 minutes", 120_000],
    ["Retry in 12.345s", 12_345],
    ["Too many requests", undefined],
    ["You have 6 requests left", undefined],
  ])("the text %j is %j ms", (text, expected) => expect(wait({}, text)).toBe(expected));

  it("in a header counts before that in a text", () => expect(wait({ "retry-after": "3" }, "retry after 6 seconds")).toBe(3_000));
});
