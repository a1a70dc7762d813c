/** @module The launcher's exports for the command and the live tests. */
export { DAPR_VERSION, type DaprBinaries } from "./binaries.ts";
export { ensureDapr } from "./build.ts";
export { Cluster, type Restartable, type Sidecar } from "./cluster.ts";
export { doctor, type Check } from "./doctor.ts";
export { findDapr } from "./find.ts";
export { freePort } from "./ports.ts";
export { Child, type ChildOptions } from "./process.ts";
export { renderResources, type Profile, type ResourceValues } from "./resources.ts";
export { findPostgres, findRedis, startPostgres, startRedis, type PostgresStore, type RedisStore } from "./stores.ts";
