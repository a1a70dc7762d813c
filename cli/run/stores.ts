/** @module Finds the stores of the profiles redis and postgres and checks that they answer. */
import { createConnection } from "node:net";
import type { Profile, ResourceValues } from "../dapr/index.ts";
import { messageOf } from "../dapr/problem.ts";
import { ask } from "../dapr/stores.ts";
import { CliError } from "../text/problem.ts";

/** The stores that the command line and the environment choose. */
export interface StoreChoice {
  readonly profile: Profile;
  /** `redis://[:password@]host[:port]`, or `host:port`. */
  readonly redisUrl?: string | undefined;
  /** `postgres://user:password@host:port/database`. */
  readonly postgresUrl?: string | undefined;
}

const REDIS_DEFAULT = "redis://127.0.0.1:6379";
const POSTGRES_DEFAULT = "postgres://postgres:postgres@127.0.0.1:5432/troupe?sslmode=disable";
const REDIS_PORT = 6_379;
const POSTGRES_PORT = 5_432;
const PROBE_MS = 2_000;

/**
 * The stores of a profile.
 * @throws STORE_ABSENT when no store answers at its address
 */
export async function storesOf(choice: StoreChoice): Promise<Omit<ResourceValues, "dir">> {
  if (choice.profile === "embedded") return {};
  const redis = urlOf(choice.redisUrl ?? REDIS_DEFAULT, "redis://", "--redis-url");
  const redisPort = Number(redis.port) || REDIS_PORT;
  const password = decodeURIComponent(redis.password);
  await requireRedis(redis.hostname, redisPort, password);
  const found = { redisHost: `${redis.hostname}:${redisPort}`, redisPassword: password };
  if (choice.profile === "redis") return found;
  const postgresUrl = choice.postgresUrl ?? POSTGRES_DEFAULT;
  const postgres = urlOf(postgresUrl, "postgres://", "--postgres-url");
  await requirePostgres(postgres.hostname, Number(postgres.port) || POSTGRES_PORT);
  return { ...found, postgresUrl };
}

function urlOf(text: string, scheme: string, option: string): URL {
  try {
    const url = new URL(text.includes("://") ? text : `${scheme}${text}`);
    if (url.hostname !== "") return url;
  } catch {
    // Not a URL: the error below says so.
  }
  throw new CliError("USAGE", `${option} is not an address.`, `Give it as ${scheme}host:port.`);
}

async function requireRedis(host: string, port: number, password: string): Promise<void> {
  const where = `${host}:${port}`;
  const fix = `Start one (redis-server --appendonly yes --appendfsync always), or name yours with --redis-url or TROUPE_REDIS_URL.`;
  const answer = await ask(port, password === "" ? "PING\r\n" : `AUTH ${password}\r\n`, host);
  if (answer.startsWith("+")) return;
  if (answer === "") throw new CliError("STORE_ABSENT", `no Redis answers at ${where}.`, fix);
  throw new CliError(
    "STORE_ABSENT",
    `the Redis at ${where} says: ${answer.trim()}`,
    "Give its password: --redis-url redis://:password@host:port.",
  );
}

async function requirePostgres(host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const socket = createConnection({ port, host });
      socket.setTimeout(PROBE_MS, () => socket.destroy(new Error("no answer")));
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.destroy();
        resolve();
      });
    });
  } catch (error) {
    throw new CliError(
      "STORE_ABSENT",
      `no PostgreSQL answers at ${host}:${port}: ${messageOf(error) || "refused"}.`,
      "Start one, or name yours with --postgres-url or TROUPE_POSTGRES_URL.",
      error,
    );
  }
}
