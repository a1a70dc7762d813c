/** @module Tokens: their holders and roles. Only digests are kept, in memory and in the file. */
import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { PersonRole } from "../../runtime/people/request.ts";
import { isUnnamed } from "../../runtime/people/who.ts";
import { ANONYMOUS, APP_TOKEN, type Principal, PRINCIPAL_KINDS } from "../../runtime/protocol/principal.ts";
import { check } from "./body.ts";

/**
 * The roles of a token. `submit`: begin tasks. `read`: see processes, dead letters, requests to people, the graph and the
 * audit records. `content`: see inputs, outputs, arguments and replies.
 * `operate`: cancel, purge. `decide`: redrive and discard dead letters, decide on requests to people.
 */
export const ROLES = ["submit", "read", "content", "operate", "decide"] as const;
/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

const NAME_CHARS_MAX = 256;
const PERMISSIONS_MAX = 64;
const Name = z.string().min(1).max(NAME_CHARS_MAX);

/** The subject of a token or a claim. An identity without a name may decide its own requests, so none of them has such a subject. */
export const Subject = Name.refine((subject) => !isUnnamed({ subject }), "this subject stands for no one");

/** One token of the file named by TROUPE_TOKENS_FILE. `sha256` is the digest of the token's UTF-8 bytes, in lower-case hex. */
export const TokenEntry = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits, the SHA-256 of the token"),
  subject: Subject,
  /**
   * Its holder sees and changes only what tokens of this tenant submitted. Without it, everything.
   * @default none
   */
  tenant: Name.optional(),
  roles: z.array(z.enum(ROLES)).min(1),
  /**
   * Part of the principal that agents see.
   * @default none
   */
  permissions: z.array(Name).max(PERMISSIONS_MAX).optional(),
  /**
   * What its holder may decide as a person: requests that name one of these roles. Not roles of the HTTP API.
   * @default none
   */
  personRoles: z.array(PersonRole).max(LIMITS.personRolesMax).optional(),
  /**
   * Its holder is no person: an agent, or a peer system. It decides only where a request lets agents decide.
   * @default a person
   */
  kind: z.enum(PRINCIPAL_KINDS).optional(),
});
export type TokenEntry = z.infer<typeof TokenEntry>;

const TokenList = z.array(TokenEntry).min(1).max(LIMITS.tokensMax);

/**
 * Parses a token file.
 * @throws `tokens.invalid` with the place; the message repeats no digest
 */
export function parseTokens(text: string): readonly TokenEntry[] {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    // The parser's own message would repeat a part of the file.
    throw new Fault("tokens.invalid", "the token file is not JSON");
  }
  const tokens = check(TokenList, json, "tokens.invalid", "the token file");
  const digests = new Set<string>();
  for (const [index, { sha256 }] of tokens.entries()) {
    if (digests.has(sha256)) throw new Fault("tokens.invalid", `the token file: at ${index}.sha256: an earlier entry has the same token`);
    digests.add(sha256);
  }
  return tokens;
}

/** The caller and its roles. */
export interface Identity {
  readonly principal: Principal;
  readonly roles: ReadonlySet<Role>;
  /** The only tenant that the caller sees; undefined for one that sees all. */
  readonly tenant?: string | undefined;
  /** The caller has no name although others have: it may not decide on requests to people. */
  readonly isUnnamed?: true;
}

const ALL_ROLES: ReadonlySet<Role> = new Set(ROLES);
/** The identity of every request to a host without tokens. */
const EVERY_CALLER: Identity = { principal: ANONYMOUS, roles: ALL_ROLES };
/** The identity of the app's token. One token is one subject: it means "may use this system" and has no name. */
const TOKEN_HOLDER: Identity = { principal: APP_TOKEN, roles: ALL_ROLES };

/** The tokens of one host. */
export class Tokens {
  readonly #known: readonly { readonly digest: Buffer; readonly identity: Identity }[];
  readonly #app: Buffer | undefined;

  /** Throws `tokens.invalid` for tokens without an app token: the actors' own paths would be unprotected. */
  constructor(appToken: string | undefined, entries: readonly TokenEntry[] = []) {
    if (appToken === undefined && entries.length > 0)
      throw new Fault(
        "tokens.invalid",
        "a token file requires APP_API_TOKEN; without it every client that reaches this host could call its actors past all roles",
      );
    this.#app = appToken === undefined ? undefined : digestOf(appToken);
    const named = entries.map((entry) => ({ digest: Buffer.from(entry.sha256, "hex"), identity: identityOf(entry) }));
    const ofApp: Identity = named.length === 0 ? TOKEN_HOLDER : { ...TOKEN_HOLDER, isUnnamed: true };
    this.#known = this.#app === undefined ? [] : [...named, { digest: this.#app, identity: ofApp }];
  }

  /** Whether no token is required. */
  get open(): boolean {
    return this.#app === undefined;
  }

  /** The identity of a token; undefined for an unknown one. Every digest is compared, so the time reveals nothing about any of them. */
  holder(token: string | undefined): Identity | undefined {
    if (this.open) return EVERY_CALLER;
    if (token === undefined) return undefined;
    const offered = digestOf(token);
    let found: Identity | undefined;
    for (const { digest, identity } of this.#known) if (timingSafeEqual(digest, offered)) found ??= identity;
    return found;
  }

  /** The identity of the token with a digest, in lower-case hex; undefined when there is none. */
  holderOfDigest(sha256: string): Identity | undefined {
    const wanted = Buffer.from(sha256, "hex");
    return this.#known.find(({ digest }) => digest.length === wanted.length && timingSafeEqual(digest, wanted))?.identity;
  }

  /** Whether this is the app's own token, which daprd has. */
  isAppToken(token: string | undefined): boolean {
    return this.#app === undefined || (token !== undefined && timingSafeEqual(digestOf(token), this.#app));
  }
}

function identityOf({ subject, tenant, roles, permissions = [], personRoles, kind }: TokenEntry): Identity {
  const principal: Principal = {
    subject,
    tenant: tenant ?? ANONYMOUS.tenant,
    permissions,
    ...(personRoles === undefined ? {} : { roles: personRoles }),
    ...(kind === undefined ? {} : { kind }),
  };
  return { principal, roles: new Set(roles), tenant };
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
