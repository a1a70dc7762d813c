/** @module The screens under test: where they are, by what they are known to be there, and what is done first. */
import type { Page } from "playwright-core";

/** All roles of the HTTP API. */
export const ALL_ROLES = ["submit", "read", "operate", "decide", "content"];

/** One screen. */
export interface ScreenCase {
  readonly name: string;
  readonly path: string;
  /** A text that is there with data. */
  readonly ready: string;
  /** A text that is there where nothing is. */
  readonly empty: string;
  /** The request without which it has nothing to show. Absent: it asks when a button is pressed. */
  readonly needs?: string;
  /** What a person does first. */
  readonly before?: (page: Page) => Promise<void>;
}

/** Screens by name. */
export const SCREENS: readonly ScreenCase[] = [
  { name: "overview", path: "/", ready: "trip-12:1 waits for a decision", empty: "No task was submitted yet", needs: "GET /overview" },
  { name: "runs", path: "/runs", ready: "trip-10", empty: "Submit the first task", needs: "GET /processes" },
  {
    name: "run",
    path: "/runs/trip-12",
    ready: "no hotel in Bergen has a free room",
    empty: "No work yet",
    needs: "GET /processes/trip-12",
  },
  {
    name: "run-open",
    path: "/runs/claim-3",
    ready: "waits for Manager",
    empty: "No work yet",
    needs: "GET /processes/claim-3/timeline",
  },
  { name: "graph", path: "/graph?process=trip-12", ready: "Which leads to which", empty: "This system has no routes", needs: "GET /graph" },
  { name: "agents", path: "/agents", ready: "Books a room.", empty: "This system has no agents", needs: "GET /agents" },
  { name: "system", path: "/system", ready: "does not renew its lease", empty: "No records", needs: "GET /system" },
  { name: "submit", path: "/submit", ready: "Airport or city.", empty: "This system has no routes", needs: "GET /schemas" },
  { name: "dead-letters", path: "/deadletters", ready: "trip-7:1", empty: "No dead letters wait", needs: "GET /deadletters" },
  {
    name: "dead-letter",
    path: "/deadletters/trip-12%3A1",
    ready: "Airport or city.",
    empty: "not JSON",
    needs: "GET /deadletters/trip-12:1",
  },
  { name: "inbox", path: "/inbox", ready: "A refund of 900 EUR is above 500 EUR", empty: "Nothing waits for people", needs: "GET /inbox" },
  {
    name: "request",
    path: "/inbox/claim-3.r1",
    ready: "May Refunds call refund?",
    empty: "The request came without evidence.",
    needs: "GET /inbox/claim-3.r1",
  },
  {
    name: "conversation",
    path: "/runs/claim-3/works/claim-3.1.pay.0.1.do",
    ready: "Request 2",
    empty: "No model calls",
    needs: "GET /processes/claim-3/works/claim-3.1.pay.0.1.do/conversation",
  },
  { name: "costs", path: "/costs", ready: "Dearest processes", empty: "Nothing was spent", needs: "GET /costs" },
  { name: "budget", path: "/runs/claim-3/budget", ready: "Spent in this run", empty: "No budget", needs: "GET /processes/claim-3" },
  {
    name: "replay",
    path: "/runs/claim-3/replay",
    ready: "The code of this host",
    empty: "The code of this host",
    before: press("Replay", "Another content"),
  },
  {
    name: "fork",
    path: "/runs/claim-3/fork?at=model%202",
    ready: "Runs it again in memory",
    empty: "Runs it again in memory",
    before: press("Fork", "Outcome and cost"),
  },
  {
    name: "diff",
    path: "/runs/claim-3/diff/claim-4",
    ready: "Outcome and cost",
    empty: "Both runs are the same",
    needs: "GET /processes/claim-3/diff/claim-4",
  },
  { name: "memories", path: "/memory", ready: "Source handbook", empty: "No memories", needs: "GET /memory" },
  { name: "memory", path: "/memory/key.Support.ann", ready: "12 Harbour Street", empty: "No facts", needs: "GET /memory/key.Support.ann" },
  { name: "releases", path: "/releases", ready: "canary at 10 %", empty: "No model agents", needs: "GET /releases" },
  { name: "drift", path: "/drift", ready: "Refunds@v3/small", empty: "No processes ended in this window", needs: "GET /drift" },
  { name: "digest", path: "/digest", ready: "Dead letters by cause", empty: "No dead letters.", needs: "GET /digest" },
];

function press(name: string, then: string): (page: Page) => Promise<void> {
  return async (page) => {
    await page.getByRole("button", { name, exact: true }).click();
    await page.getByText(then).first().waitFor();
  };
}
