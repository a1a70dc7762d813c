/** @module The resources of a real MCP server as a source of documents. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mcpSource } from "../../mcp/index.ts";
import type { ListedDocument } from "../../runtime/memory/compare.ts";
import { npmServer } from "./rig.ts";

const call = { signal: new AbortController().signal };

test("the texts among the resources of a server are documents, with the same versions at each listing", async () => {
  const source = mcpSource("everything", npmServer("everything"));
  expect(source.untrusted).toBe(true);
  const first = (await source.list(undefined, call)) as readonly ListedDocument[];
  expect(first.length).toBeGreaterThan(0);
  expect(await source.list(undefined, call)).toEqual(first);
  const [document] = first;
  expect(typeof (await source.read(document?.id ?? "", call))).toBe("string");
  const start = document?.id ?? "";
  const within = await mcpSource("part", npmServer("everything"), { within: [start] }).list(undefined, call);
  expect(within).toEqual(first.filter(({ id }) => id.startsWith(start)));
});

test("a server without resources cannot be listed, so its documents do not look gone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-resources-"));
  try {
    const source = mcpSource("files", npmServer("filesystem", folder));
    await expect(Promise.resolve(source.list(undefined, call))).rejects.toMatchObject({ code: "mcp.rejected" });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a server that cannot be started is a failed listing", async () => {
  const source = mcpSource("none", { command: process.execPath, args: ["-e", "process.exit(3)"] });
  await expect(Promise.resolve(source.list(undefined, call))).rejects.toMatchObject({ code: "mcp.unavailable" });
});
