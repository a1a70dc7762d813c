/** @module Whom a task acts for, and how a message carries it. */
import { z } from "zod";
import { DEFAULT_TENANT } from "../ids.ts";

/** What may act beside a person: an agent of this or another system. */
export const PRINCIPAL_KINDS = ["agent", "peer"] as const;

/** The identity that a task acts for. It comes from the token or a signed claim, never from a body. */
export const Principal = z.strictObject({
  subject: z.string(),
  tenant: z.string(),
  permissions: z.array(z.string()),
  /** Roles as a person, which requests to people name. Absent: none. */
  roles: z.array(z.string()).optional(),
  /** Absent: a person. */
  kind: z.enum(PRINCIPAL_KINDS).optional(),
  /** The permissions that the submitter gave to this task: some of its own. Absent: it did not say, so all of them. */
  given: z.array(z.string()).optional(),
});
export type Principal = {
  readonly subject: string;
  readonly tenant: string;
  readonly permissions: readonly string[];
  readonly roles?: readonly string[] | undefined;
  readonly kind?: (typeof PRINCIPAL_KINDS)[number] | undefined;
  readonly given?: readonly string[] | undefined;
};

/** A principal as a message carries it. */
export function carried({ subject, tenant, permissions, roles, kind, given }: Principal): z.infer<typeof Principal> {
  return {
    subject,
    tenant,
    permissions: [...permissions],
    ...(roles === undefined ? {} : { roles: [...roles] }),
    ...(kind === undefined ? {} : { kind }),
    ...(given === undefined ? {} : { given: [...given] }),
  };
}

/** The principal of a request without an identity (no token configured). */
export const ANONYMOUS: Pick<Principal, "subject" | "tenant" | "permissions"> = {
  subject: "anonymous",
  tenant: DEFAULT_TENANT,
  permissions: [],
};

/** The principal of a request with the app's own token, which has no name. */
export const APP_TOKEN: Pick<Principal, "subject" | "tenant" | "permissions"> = {
  subject: "app-token",
  tenant: DEFAULT_TENANT,
  permissions: [],
};
