/** @module Work items that have read a version that is no longer the newest. */
import { describe, expect, test } from "vitest";
import { staleReads } from "../../runtime/memory/stale.ts";
import { MemoryRig } from "./memory-rig.ts";

describe("work items that decided on what is no longer the newest", () => {
  test("are found for a newer version and for a fact that is gone, the newest first, and for nothing else", () => {
    const rig = new MemoryRig();
    const diet = rig.write("no nuts", { key: "diet" });
    const home = rig.write("Harbour Street", { key: "home" });
    rig.write("green", { key: "colour" });
    rig.read({ key: "diet" }, "p1");
    rig.read({ key: "home" }, "p2");
    rig.read({ key: "colour" }, "p3");
    expect(staleReads(rig.state)).toEqual([]);
    rig.write("no milk", { key: "diet" });
    rig.forget(home);
    expect(staleReads(rig.state)).toMatchObject([
      { processId: "p2", facts: [{ id: home.id, version: 1, why: "forgotten" }] },
      { processId: "p1", facts: [{ id: diet.id, version: 1, why: "replaced" }] },
    ]);
    rig.read({ key: "diet" }, "p4");
    expect(staleReads(rig.state).length).toBe(2);
  });

  test("a turn that a summary stands for is still true", () => {
    const rig = new MemoryRig();
    const turn = rig.write("hello", { kind: "turn" });
    rig.read({ kinds: ["turn"] });
    rig.write("they met", { kind: "summary", replaces: [turn.id], parents: [{ memory: rig.state.id, id: turn.id, version: 1 }] });
    expect(staleReads(rig.state)).toEqual([]);
  });
});
