/** @module Runs the `troupe` command as a process. */
import { exemptLoopback } from "./run/environment.ts";
import { Lifetime } from "./run/lifetime.ts";
import { runProgram } from "./program.ts";

exemptLoopback(process.env);
const lifetime = new Lifetime();
lifetime.watch();
process.exit(await runProgram(process.argv.slice(2), lifetime));
