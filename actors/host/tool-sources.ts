/** @module What the tools of a system are connected to, held from the start of a host to its end. */
import type { ToolSource } from "../../agents/tool.ts";
import type { System } from "../../agents/system.ts";
import type { Logger } from "../engine/log.ts";

/** Holds the sources of all tools of a system. The returned function releases them, once. */
export function holdSources(system: System, log: Logger): () => Promise<void> {
  const sources = new Set<ToolSource>();
  for (const agent of system.agents.values()) for (const { source } of agent.tools.values()) if (source !== undefined) sources.add(source);
  const held = [...sources].map((source) =>
    source.hold({
      info: (message, facts) => log.info({ system: system.name, ...facts }, message),
      warn: (message, facts) => log.warn({ system: system.name, ...facts }, message),
    }),
  );
  return async () => {
    await Promise.all(held.splice(0).map((release) => release()));
  };
}
