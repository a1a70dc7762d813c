/**
 * @module Secrets and settings of Dapr's stores, through Dapr's own client, which is loaded by the first use.
 */
import { Fault } from "../../runtime/faults.ts";
import { daprClient } from "./user-client.ts";

/** Where the sidecar is. */
export interface UserValuesOptions {
  readonly daprHost: string;
  readonly daprHttpPort: number;
  /** @default DAPR_GRPC_PORT, else 50001 */
  readonly daprGrpcPort?: number | undefined;
  readonly apiToken: string | undefined;
}

/** Reads of a host for its user's definitions. */
export interface UserValues {
  /** @throws `model.unknown` if the store refuses or has no such value, `model.unavailable` if the sidecar does not answer */
  readonly secret: (store: string, name: string) => Promise<string>;
  /** The values that exist. @throws any error if the store does not answer */
  readonly settings: (store: string, keys: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

/** Secrets over HTTP; settings over gRPC, which Dapr's client needs for them. */
export function userValues({ daprHost, daprHttpPort, daprGrpcPort, apiToken }: UserValuesOptions): UserValues {
  const at = { daprHost, ...(apiToken === undefined ? {} : { daprApiToken: apiToken }) };
  return {
    secret: async (store, name) => {
      const client = await daprClient({ ...at, daprPort: String(daprHttpPort) });
      const value = valueOf(await answerOf(store, name, client.secret.get(encodeURIComponent(store), encodeURIComponent(name))), name);
      if (value === undefined) throw new Fault("model.unknown", `secret store ${store} has no value ${name}`, { store, name, sent: false });
      return value;
    },
    settings: async (store, keys) => {
      const client = await daprClient({
        ...at,
        protocol: "grpc",
        ...(daprGrpcPort === undefined ? {} : { daprPort: String(daprGrpcPort) }),
      });
      const { items } = await client.configuration.get(store, [...keys]);
      return new Map(Object.entries(items).map(([key, { value }]) => [key, value]));
    },
  };
}

/** A store gives an object with the value under its name, or with the one key that the secret has. */
function valueOf(answer: object, name: string): string | undefined {
  const entries = Object.entries(answer).filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "");
  const named = entries.find(([key]) => key === name);
  return (named ?? (entries.length === 1 ? entries[0] : undefined))?.[1];
}

async function answerOf(store: string, name: string, asked: Promise<object>): Promise<object> {
  try {
    return await asked;
  } catch (error) {
    // An error of the sidecar has its status in its text; its message names the store and not the value.
    const { message } = error instanceof Error ? error : new Error(String(error));
    const isAnswer = message.includes('"status"');
    const code = isAnswer ? "model.unknown" : "model.unavailable";
    throw new Fault(code, `secret ${name} of store ${store} could not be read: ${message}`, { store, name, sent: false });
  }
}
