/**
 * @module Decisions of people on a topic. Each is a JSON Web Token (RFC 7519), in which a program that knows the person says who decides
 * what. It is signed with HS256 and the decision key of the system. It holds one decision, so it can be used for nothing else.
 */
import { errors, jwtVerify } from "jose";
import { z } from "zod";
import { Fault } from "../../runtime/faults.ts";
import { DEFAULT_TENANT } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { PersonRole } from "../../runtime/people/request.ts";
import { type Principal, PRINCIPAL_KINDS } from "../../runtime/protocol/principal.ts";
import { check } from "./body.ts";
import { DecisionRequest } from "./schemas.ts";
import { Subject } from "./tokens.ts";

/** The data of an event on the topic `<system>.decisions`. */
const DecisionEvent = z.strictObject({ token: z.string() });

/** What the token says. `exp` is required, in seconds since the epoch. */
const Claims = z.strictObject({
  sub: Subject,
  tenant: Subject.optional(),
  roles: z.array(PersonRole).max(LIMITS.personRolesMax).optional(),
  kind: z.enum(PRINCIPAL_KINDS).optional(),
  iat: z.number().optional(),
  exp: z.number(),
  request: z.string(),
  decision: DecisionRequest,
});

/** A decision with who decides. */
export interface ClaimedDecision {
  readonly principal: Principal;
  /** The only tenant of the person. */
  readonly tenant: string | undefined;
  readonly requestId: string;
  readonly decision: z.infer<typeof DecisionRequest>;
}

/**
 * Reads a decision from the data of an event.
 * @throws `message.signature` for a token that no key signed; `message.expired`; `message.invalid`
 */
export async function readDecision(data: unknown, keys: readonly string[], nowMs: number): Promise<ClaimedDecision> {
  const { token } = check(DecisionEvent, data, "message.invalid", "the decision in the event's data");
  const { sub, tenant, roles, kind, request, decision } = check(
    Claims,
    await claimsOf(token, keys, nowMs),
    "message.invalid",
    "the token of the decision",
  );
  const principal: Principal = {
    subject: sub,
    tenant: tenant ?? DEFAULT_TENANT,
    permissions: [],
    ...(roles === undefined ? {} : { roles }),
    ...(kind === undefined ? {} : { kind }),
  };
  return { principal, tenant, requestId: request, decision };
}

async function claimsOf(token: string, keys: readonly string[], nowMs: number): Promise<unknown> {
  for (const key of keys) {
    try {
      const options = { algorithms: ["HS256"], requiredClaims: ["sub", "exp"], currentDate: new Date(nowMs) };
      return (await jwtVerify(token, new TextEncoder().encode(key), options)).payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new Fault("message.expired", "the token of the decision has expired");
      if (!(error instanceof errors.JWSSignatureVerificationFailed))
        throw new Fault("message.invalid", `the token of the decision: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Fault(
    "message.signature",
    keys.length === 0
      ? "this host has no key for decisions on the topic"
      : "the token of the decision is not signed with a key of this host",
  );
}
