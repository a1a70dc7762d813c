/** @module What the command and the live tests use of the launcher. */
export { DAPR_VERSION, type DaprBinaries } from "./binaries.ts";
export { buildDapr, ensureDapr } from "./build.ts";
export { Cluster, type ClusterOptions, type ControlPorts, type LogLevel, type Restartable, type Sidecar, type SidecarOptions } from "./cluster.ts";
export { doctor, type Check } from "./doctor.ts";
export { cacheDir, findDapr, searchDapr, type DaprSearch } from "./find.ts";
export { freePort } from "./ports.ts";
export { LaunchError, type LaunchCode } from "./problem.ts";
export { Child, type ChildOptions } from "./process.ts";
export { PROFILES, renderResources, type Profile, type ResourceValues } from "./resources.ts";
export { findPostgres, findRedis, startPostgres, startRedis, type PostgresStore, type RedisStore } from "./stores.ts";
