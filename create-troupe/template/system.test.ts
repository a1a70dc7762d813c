/** @module The system without Dapr, on the same engine, in milliseconds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runLocal } from "troupe/testing";
import hello from "./system.ts";

test("a guest is greeted", async () => {
  const { status, output } = await runLocal(hello, "greet", { name: "Ada" });
  assert.equal(status, "completed");
  assert.deepEqual(output, { text: "Good day, Ada!" });
});

test("a greeting that is too long becomes a dead letter", async () => {
  const { status, fault, deadLetter } = await runLocal(hello, "greet", { name: "Ada".repeat(20) });
  assert.equal(status, "failed");
  assert.equal(fault?.code, "agent.refused");
  assert.ok(deadLetter);
});

test("an agent that fails is retried", async () => {
  let calls = 0;
  const Writer = () => {
    calls += 1;
    if (calls === 1) throw new Error("not now");
    return { text: "Hello again" };
  };
  const { status, output } = await runLocal(hello, "greet", { name: "Ada" }, { fakes: { Writer } });
  assert.equal(status, "completed");
  assert.deepEqual(output, { text: "Hello again" });
  assert.equal(calls, 2);
});
