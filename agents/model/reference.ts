/**
 * @module References to values outside the code: a secret of a Dapr secret store, a setting of a Dapr configuration store.
 */
import { requireText } from "../definition.ts";

const CHARS_MAX = 256;

/** A value of a Dapr secret store. It is read when a host connects the endpoint, and is in no record, log or error. */
export interface SecretReference {
  readonly kind: "secret";
  readonly store: string;
  readonly name: string;
}

/** Names a value of a Dapr secret store: `apiKey: secret("vault", "openai-key")`. */
export function secret(store: string, name: string): SecretReference {
  const where = "secret";
  return Object.freeze({
    kind: "secret",
    store: requireText(store, where, "store", CHARS_MAX),
    name: requireText(name, where, "name", CHARS_MAX),
  });
}

/** A setting of a Dapr configuration store. */
export interface Configured<T extends string | number> {
  readonly kind: "configuration";
  readonly store: string;
  readonly key: string;
  /** Used until the store answers, and if its value does not fit. */
  readonly otherwise: T;
}

/**
 * Names a setting of a Dapr configuration store, such as `weight: configuration("settings", "fast-weight", 1)`. A host reads it again while
 * it runs. `otherwise` is used until the store answers, and if its value does not fit.
 */
export function configuration<T extends string | number>(store: string, key: string, otherwise: T): Configured<Widened<T>> {
  const where = "configuration";
  // A literal is widened, because the store's value may be any.
  return Object.freeze({
    kind: "configuration",
    store: requireText(store, where, "store", CHARS_MAX),
    key: requireText(key, where, "key", CHARS_MAX),
    otherwise: otherwise as unknown as Widened<T>,
  });
}

/** `string` or `number` for a literal type. */
export type Widened<T extends string | number> = T extends string ? string : number;

/** Whether a value is a reference to a configuration store. */
export function isConfigured(value: unknown): value is Configured<string | number> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "configuration";
}

/** The value itself, or that which a reference has until its store answers. */
export function otherwiseOf<T extends string | number>(value: T | Configured<T>): T;
export function otherwiseOf<T extends string | number>(value: T | Configured<T> | undefined): T | undefined;
export function otherwiseOf<T extends string | number>(value: T | Configured<T> | undefined): T | undefined {
  return typeof value === "object" ? value.otherwise : value;
}
