/** @module The acts of the screens in a real browser: what they send, the command that they print, and what a refusal says. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bed, fault, type Fixture, fixtureApi, startBed } from "./browser.ts";
import { FULL } from "./fixtures.ts";
import { FAILED_STOPS } from "./fixtures/views.ts";
import { ALL_ROLES } from "./screens.ts";

interface Sent {
  readonly what: string;
  readonly body: unknown;
}

let bed: Bed;
beforeAll(async () => {
  bed = await startBed();
});
afterAll(async () => {
  await bed.stop();
  expect(bed.errors).toEqual([]);
});

test("a task is submitted from the form alone, by keyboard, and leads to its run", async () => {
  const sent: Sent[] = [];
  const page = await bed.open("/submit?route=trip", fixtureApi(FULL, ALL_ROLES, sent));
  await page.getByLabel("to", { exact: true }).focus();
  await page.keyboard.type("Oslo");
  await page.keyboard.press("Tab");
  await page.keyboard.type("4");
  await page.keyboard.press("Tab");
  await page.keyboard.type("calm");
  await page.keyboard.press("Control+Enter");
  await page.waitForURL("**/runs/trip-12");
  expect(sent).toMatchObject([{ what: "POST /tasks", body: { route: "trip", input: { to: "Oslo", days: 4, mood: "calm", stops: [] } } }]);
  await page.close();
});

test("a task with a value that the schema refuses is not sent, and the place is told", async () => {
  const sent: Sent[] = [];
  const page = await bed.open("/submit?route=trip", fixtureApi(FULL, ALL_ROLES, sent));
  await page.getByLabel("to", { exact: true }).fill("Oslo");
  await page.getByLabel("days", { exact: true }).fill("40");
  await page.getByText("days must be at most 30.").waitFor();
  expect(await page.getByRole("button", { name: "Submit" }).isDisabled()).toBe(true);
  await page.getByRole("button", { name: "JSON" }).click();
  await page.getByLabel("Input as JSON").fill("{ not JSON");
  await page.getByLabel("Input as JSON").press("Control+Enter");
  expect(sent).toEqual([]);
  await page.close();
});

test("a dead letter is redriven with an edited input: the difference and the command say what is sent", async () => {
  const sent: Sent[] = [];
  const page = await bed.open("/deadletters/trip-12%3A1", fixtureApi(FULL, ALL_ROLES, sent));
  await page.getByLabel("days", { exact: true }).fill("4");
  await page.getByText("Difference to the original: 1 place").waitFor();
  expect(await page.getByLabel("Difference", { exact: true }).innerText()).toMatch(/removed:\s+"days": 40,\s+\+\s+added:\s+"days": 4,/);
  await page.getByLabel("Reason (optional)").first().fill("a typo");
  const input = { to: "Oslo", days: 4, mood: "calm", stops: [{ city: "Bergen", nights: 3 }] };
  expect(await page.getByLabel("The same as a command").first().innerText()).toBe(
    `troupe dead redrive trip-12:1 --input '${JSON.stringify(input)}' --reason 'a typo'`,
  );
  await page.getByRole("button", { name: "Redrive with this input" }).click();
  await page.waitForURL("**/runs/trip-12");
  expect(sent).toEqual([{ what: "POST /deadletters/trip-12:1/redrive", body: { input, reason: "a typo" } }]);
  await page.close();
});

test("an edit says before it is sent what was undone, and afterwards what it does not reach", async () => {
  const accepted = { id: "trip-12", route: "trip", run: 2, sequence: 9, traceId: "f".repeat(32), notReached: ["flight", "output"] };
  const path = "/deadletters/trip-12:1";
  const fixtures: Record<string, Fixture> = { ...FULL, [`POST ${path}/redrive`]: { body: accepted } };
  const page = await bed.open("/deadletters/trip-12%3A1", fixtureApi(fixtures, ALL_ROLES));
  const warning = page.getByText("car: undone, so the run begins there again.");
  const days = page.getByLabel("days", { exact: true });
  await days.waitFor();
  expect(await warning.count()).toBe(0);
  await days.fill("4");
  await warning.waitFor();
  await page.getByRole("button", { name: "Redrive with this input" }).click();
  const told = page.getByText("The edit does not reach flight, output");
  await told.waitFor();
  await expect.poll(() => page.getByRole("button", { name: /^Redrive/ }).count()).toBe(0);
  await page.getByText("Run 2:").waitFor();
  await page.close();
});

test("an edit of a whole task says nothing of stops that were undone: it replaces what they are given", async () => {
  const path = "GET /deadletters/trip-12:1";
  const known = FULL[path]?.body as { readonly letter: object };
  const original = { kind: "task", input: { to: "Bergen", days: 40, mood: "calm", stops: [] } };
  const fixtures = { ...FULL, [path]: { body: { ...known, letter: { ...known.letter, original } } } };
  const page = await bed.open("/deadletters/trip-12%3A1", fixtureApi(fixtures, ALL_ROLES));
  await page.getByLabel("days", { exact: true }).fill("4");
  await page.getByRole("button", { name: "Redrive with this input" }).waitFor();
  expect(await page.getByText("undone, so the run begins there again").count()).toBe(0);
  await page.close();
});

test("another task is submitted from a run, beginning with the input of its own", async () => {
  const page = await bed.open("/runs/trip-12", fixtureApi(FULL, ALL_ROLES));
  expect(await page.getByLabel("Input of the task", { exact: true }).innerText()).toContain('"to": "Bergen"');
  await page.getByRole("link", { name: "Submit another" }).click();
  await page.waitForURL("**/submit?route=trip&from=trip-12");
  expect(await page.getByLabel("to", { exact: true }).inputValue()).toBe("Bergen");
  await page.close();
});

test("a fork with another input begins with the recorded one of what it begins at: the task, a stop, a call", async () => {
  const sent: Sent[] = [];
  const page = await bed.open("/runs/trip-12/fork", fixtureApi(FULL, ALL_ROLES, sent));
  await page.getByLabel("Another input").check();
  const input = page.getByLabel("Input as JSON");
  const places = [
    ["start", '"to": "Bergen"'],
    ["hotel", '"nights": 3'],
    ["call book_room 1", '"nights": 3'],
    [`${FAILED_STOPS.stops[0]?.work ?? ""}/call book_room 1`, '"nights": 3'],
  ] as const;
  for (const [at, text] of places) {
    await page.getByLabel("Begin at").fill(at);
    expect([at, await input.inputValue()]).toEqual([at, expect.stringContaining(text)]);
  }
  await input.fill('{"city":"Oslo","nights":1}');
  await page.getByLabel("Begin at").fill("start");
  expect(await input.inputValue()).toContain('"city": "Oslo"');
  await page.close();
});

test("a number is replaced by what is typed after the first click into its field", async () => {
  const page = await bed.open("/deadletters/trip-12%3A1", fixtureApi(FULL, ALL_ROLES));
  const days = page.getByLabel("days", { exact: true });
  await days.click();
  await page.keyboard.type("5");
  expect(await days.inputValue()).toBe("5");
  await days.click();
  await page.keyboard.press("End");
  await page.keyboard.type("0");
  expect(await days.inputValue()).toBe("50");
  await page.close();
});

test("a refused redrive tells the code and what to do, and keeps what was edited", async () => {
  const refused = { status: 409, body: fault("deadletter.decided", "trip-12:1 was redriven by ben", "Look at the run.") };
  const page = await bed.open(
    "/deadletters/trip-12%3A1",
    fixtureApi({ ...FULL, "POST /deadletters/trip-12:1/redrive": refused }, ALL_ROLES),
  );
  await page.getByLabel("days", { exact: true }).fill("4");
  await page.getByRole("button", { name: "Redrive with this input" }).click();
  expect(await page.getByRole("alert").innerText()).toContain("deadletter.decided");
  expect(await page.getByLabel("days", { exact: true }).inputValue()).toBe("4");
  await page.close();
});

test("a discard waits for its reason", async () => {
  const sent: Sent[] = [];
  const page = await bed.open("/deadletters/trip-12%3A1", fixtureApi(FULL, ALL_ROLES, sent));
  await page.getByText("Discard it").click();
  const button = page.getByRole("button", { name: "Discard", exact: true });
  expect(await button.isDisabled()).toBe(true);
  await page.getByLabel(/^Reason(?! \(optional)/).fill("test data");
  await button.click();
  await page.waitForURL("**/deadletters");
  expect(sent).toEqual([{ what: "POST /deadletters/trip-12:1/discard", body: { reason: "test data" } }]);
  await page.close();
});

test("a request is approved under the hash that was shown, and with the rule that was chosen", async () => {
  const sent: Sent[] = [];
  const page = await bed.open("/inbox/claim-3.r1", fixtureApi(FULL, ALL_ROLES, sent));
  await page.getByLabel(/approve refunds of up to 900 EUR/).check();
  await page.getByRole("button", { name: "Approve", exact: true }).last().click();
  await page.getByText("Recorded: the request is approved.").waitFor();
  expect(sent).toMatchObject([
    { what: "POST /inbox/claim-3.r1/decision", body: { do: "approve", always: { rule: 0 }, hash: expect.stringMatching(/^9f86d0/) } },
  ]);
  await page.close();
});

test("an edit is offered as a form with the difference, and sent as an edit", async () => {
  const sent: Sent[] = [];
  const page = await bed.open("/inbox/claim-3.r1", fixtureApi(FULL, ALL_ROLES, sent));
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await page.getByText("Nothing is edited yet.").waitFor();
  await page.getByLabel("amount", { exact: true }).fill("300");
  await page.getByRole("button", { name: "Approve with this input" }).click();
  await page.getByText("Recorded:").waitFor();
  expect(sent).toMatchObject([{ body: { do: "edit", input: { claim: "C-1881", amount: 300 } } }]);
  await page.close();
});

test("a decision that came too late tells who was faster, and shows the request as it is now", async () => {
  const fixtures: Record<string, Fixture> = {
    ...FULL,
    "POST /inbox/claim-3.r1/decision": { status: 409, body: fault("person.decided", "ben decided it", "Look at the request.") },
  };
  const page = await bed.open("/inbox/claim-3.r1", fixtureApi(fixtures, ALL_ROLES));
  await page.getByRole("button", { name: "Approve", exact: true }).last().waitFor();
  const open = FULL["GET /inbox/claim-3.r1"]?.body as object;
  fixtures["GET /inbox/claim-3.r1"] = { body: { ...open, state: "denied", decided: { by: "ben", reason: "no report", atMs: Date.now() } } };
  await page.getByRole("button", { name: "Approve", exact: true }).last().click();
  await page.getByText("This request has changed since it was shown: it is denied by ben.").waitFor();
  expect(await page.locator("main").innerText()).toContain("person.decided");
  await page.getByRole("button", { name: "Show it as it is now" }).click();
  await page.getByText("no report").waitFor();
  await page.close();
});

test("many dead letters are decided at once, and what could not be decided is told", async () => {
  const sent: Sent[] = [];
  const left = { code: "deadletter.left", message: "Flight.reserve stands" };
  const body = {
    decided: 1,
    results: [
      { id: "trip-7:1", decided: false, fault: left },
      { id: "trip-12:1", decided: true, run: 2 },
    ],
  };
  const fixtures = { ...FULL, "POST /deadletters/decide": { body } };
  const page = await bed.open("/deadletters", fixtureApi(fixtures, ALL_ROLES, sent));
  await page.getByLabel("Choose trip-7:1").check();
  await page.getByLabel("Choose trip-12:1").check();
  await page.getByLabel(/^Reason/).fill("the hotel is back");
  await page.getByRole("button", { name: "Redrive 2 letters" }).click();
  await page.getByText("Flight.reserve stands").waitFor();
  expect(sent).toEqual([
    { what: "POST /deadletters/decide", body: { ids: ["trip-7:1", "trip-12:1"], what: "redrive", reason: "the hotel is back" } },
  ]);
  await page.close();
});

test("a fact is forgotten with what was derived from it, and who had read it is named", async () => {
  const sent: Sent[] = [];
  const page = await bed.open("/memory/key.Support.ann", fixtureApi(FULL, ALL_ROLES, sent));
  await page.getByText("Forget it").first().click();
  await page.getByText("2 work items had read it and will be named.").waitFor();
  await page.getByRole("button", { name: "Forget", exact: true }).first().click();
  await page.getByText("1 work item had read it: help-4.").waitFor();
  expect(sent).toEqual([{ what: "POST /memory/key.Support.ann/forget", body: { id: "4f1c" } }]);
  await page.close();
});

test("the filters of a list stand in its address, and the way back leads to the list as it was", async () => {
  const page = await bed.open("/deadletters", fixtureApi(FULL, ALL_ROLES));
  await page.getByRole("button", { name: /^agent.failed/ }).click();
  expect(new URL(page.url()).search).toBe("?code=agent.failed");
  await page.getByRole("link", { name: "trip-12:1" }).click();
  await page.getByText(/^Why run \d+ failed$/).waitFor();
  await page.goBack();
  await page.getByRole("button", { name: /^agent.failed/ }).waitFor();
  expect(await page.getByLabel("Fault", { exact: true }).inputValue()).toBe("agent.failed");
  await page.close();
});
