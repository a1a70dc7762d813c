/** @module Settings of endpoints from a Dapr configuration store. */
import { describe, expect, it } from "vitest";
import { configuration } from "../../agents/index.ts";
import { type LogFacts, SILENT } from "../../actors/engine/log.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { GatewayRig } from "./gateway-rig.ts";

function rigged(values: Map<string, string>): {
  readonly rig: GatewayRig;
  readonly host: ReturnType<GatewayRig["host"]>;
  readonly warnings: string[];
} {
  const rig = new GatewayRig();
  const warnings: string[] = [];
  const log = { ...SILENT, warn: (_facts: LogFacts, text: string) => void warnings.push(text) };
  const of = configuration;
  const a = rig.endpoint("a", {
    model: of("settings", "model", "first"),
    weight: of("settings", "weight", 1),
    concurrency: of("settings", "slots", 2),
  });
  const host = rig.host(
    { m: [a] },
    {
      log,
      settings: async (store, keys) => {
        if (values.has("down")) throw new Error("down");
        expect(store).toBe("settings");
        return new Map(keys.flatMap((key) => (values.has(key) ? [[key, values.get(key) ?? ""]] : [])));
      },
    },
  );
  return { rig, host, warnings };
}

describe("configured settings", () => {
  it("are those of the definition until the store has others, and change while the host runs", async () => {
    const values = new Map<string, string>();
    const { rig, host } = rigged(values);
    await host.start();
    expect(host.view[0]?.endpoints[0]).toMatchObject({ model: "first", weight: 1, concurrency: 2 });
    values.set("model", "second").set("slots", "1");
    void rig.attempt(host);
    await rig.pass(LIMITS.settingsReadMs);
    void rig.attempt(host);
    await rig.settle();
    expect(host.view[0]?.endpoints[0]).toMatchObject({ model: "second", concurrency: 1 });
    rig.open[0]?.succeed();
    await rig.settle();
    rig.open[0]?.succeed();
    await rig.settle();
    void rig.attempt(host);
    await rig.settle();
    expect(rig.open[0]?.model).toBe("second");
    values.clear();
    await rig.pass(LIMITS.settingsReadMs);
    void rig.attempt(host);
    await rig.settle();
    expect(host.view[0]?.endpoints[0]).toMatchObject({ model: "first" });
  });

  it("that do not fit are ignored, with one warning", async () => {
    const values = new Map([["weight", "many"]]);
    const { rig, host, warnings } = rigged(values);
    await host.start();
    await rig.pass(LIMITS.settingsReadMs);
    void rig.attempt(host);
    await rig.settle();
    expect(host.view[0]?.endpoints[0]).toMatchObject({ weight: 1 });
    expect(warnings).toEqual(["a configured value does not fit weight"]);
  });

  it("stay as they were while the store does not answer", async () => {
    const values = new Map([["model", "second"]]);
    const { rig, host, warnings } = rigged(values);
    await host.start();
    values.set("down", "yes");
    await rig.pass(LIMITS.settingsReadMs);
    void rig.attempt(host);
    await rig.settle();
    expect(host.view[0]?.endpoints[0]).toMatchObject({ model: "second" });
    expect(warnings).toHaveLength(1);
  });
});
