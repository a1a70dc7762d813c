/** @module For `node --import`: prints each OpenTelemetry package that a program loads, a line each. */
import { registerHooks } from "node:module";

const told = new Set<string>();

registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context);
    const name = /node_modules\/(@opentelemetry\/[^/]+)\//.exec(found.url)?.[1];
    if (name !== undefined && !told.has(name)) {
      told.add(name);
      process.stdout.write(`loads ${name}\n`);
    }
    return found;
  },
});
