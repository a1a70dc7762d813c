/** @module What routes and agents take and give, as JSON Schemas: for forms, and for programs without the contracts. Pure. */
import type { System } from "../../agents/system.ts";
import type { SchemasAnswer } from "../../runtime/answers.ts";

/** The schemas of all routes, and of all agents that the routes may name: those of this app, people, and agents of other apps. */
export function schemasOf({ routes, agents, people, remote }: System): SchemasAnswer {
  const contracts = [
    ...[...agents.values()].map(({ contract }) => contract),
    ...people.values(),
    ...[...remote.values()].map(({ contract }) => contract),
  ];
  return {
    routes: Object.fromEntries([...routes.values()].map(({ name, version, inputJsonSchema: input }) => [name, { version, input }])),
    agents: Object.fromEntries(
      contracts.map(({ name, version, inputJsonSchema: input, outputJsonSchema: output }) => [name, { version, input, output }]),
    ),
  };
}
