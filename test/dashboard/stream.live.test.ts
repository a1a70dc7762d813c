/** @module The stream of changes that the page follows: after a refusal, which ends a browser's own stream, it is opened again. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, type Bed, fixtureApi, startBed } from "./browser.ts";
import { FULL } from "./fixtures.ts";
import { ALL_ROLES } from "./screens.ts";

let bed: Bed;
beforeAll(async () => {
  bed = await startBed();
});
afterAll(async () => {
  await bed.stop();
});

test("a page whose stream was refused by a host that stops is live again with the next host, and reads what it shows again", async () => {
  const refused: number[] = [];
  const api = fixtureApi(FULL, ALL_ROLES);
  const asked: string[] = [];
  const events: Api = (request, response) => {
    if (request.url !== "/events") {
      asked.push(request.url ?? "");
      return api(request, response);
    }
    if (refused.length === 0) {
      refused.push(503);
      response.writeHead(503, { "content-type": "application/json" }).end("{}");
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" }).write("event: changed\nid: 1\ndata: {}\n\n");
  };
  const page = await bed.open("/", events);
  await page.locator(".s-live[data-live=true]").waitFor();
  await expect.poll(() => asked.filter((url) => url.startsWith("/overview")).length).toBeGreaterThan(1);
  expect([refused, bed.errors]).toEqual([[503], []]);
  await page.close();
});
