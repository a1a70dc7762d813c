/** @module A system around one handler that runs three times, and a context that only records steps: for the tests of adapters. */
import { z } from "zod";
import { agent, type BaseContext, contract, route, type System, system, tool, type ToolDefinition } from "../../agents/index.ts";
import { plainJson } from "../../runtime/canonical.ts";
import type { Json } from "../../runtime/faults.ts";

export const EXECUTIONS = 3;

/** A tool that counts its calls. */
export function searchTool(): { readonly search: ReturnType<typeof define>; readonly made: string[] } {
  const made: string[] = [];
  return { search: define(made), made };
}

function define(made: string[]) {
  return tool("search", {
    about: "Finds a city",
    effect: "read",
    input: z.object({ query: z.string() }),
    output: z.object({ city: z.string() }),
    run: ({ query }) => {
      made.push(query);
      if (query === "nowhere") throw new Error("there is no such place");
      return { city: `${query} city` };
    },
  });
}

type Context = BaseContext<never, never, ToolDefinition>;

/** A system whose handler fails after its work, until its last execution. */
export function thrice(tools: readonly ToolDefinition[], handle: (ctx: Context) => Promise<string>): System {
  const Doer = contract("Doer", 1, { input: z.string(), output: z.string() });
  let runs = 0;
  const doer = agent(Doer, {
    tools,
    handle: async (_input, ctx) => {
      const text = await handle(ctx);
      runs += 1;
      if (runs < EXECUTIONS) throw new Error("the handler failed after its work");
      return text;
    },
  });
  const main = route("main", 1, z.string())
    .to("doer", Doer, ({ task }) => task, { retry: { attemptsMax: EXECUTIONS, backoffMs: 0, jitter: 0 } })
    .output(({ doer: done }) => done);
  return system("sys", { agents: [doer], routes: [main] });
}

/** Steps as a host records them, of one execution after another. */
export class Steps {
  readonly records = new Map<string, Json>();
  made = 0;

  /** The context of the next execution. */
  next(): { readonly step: BaseContext<never, never>["step"]; readonly signal: AbortSignal } {
    return {
      signal: new AbortController().signal,
      step: async (name, action) => {
        const known = this.records.get(name);
        // A record holds what the function returned, as JSON.
        if (known !== undefined) return known as Awaited<ReturnType<typeof action>>;
        this.made += 1;
        const output = plainJson((await action({ idempotencyKey: name, signal: new AbortController().signal })) ?? null);
        this.records.set(name, output);
        return output as Awaited<ReturnType<typeof action>>;
      },
    };
  }
}
