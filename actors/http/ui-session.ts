/**
 * @module Sessions of the dashboard. A browser cannot keep a token safely, so it holds a cookie that scripts cannot read. The cookie is
 * encrypted and holds the digest of the token, so each host of the system accepts it, and a token that is removed ends its sessions.
 */
import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { EncryptJWT, jwtDecrypt } from "jose";
import { z } from "zod";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Identity, Tokens } from "./tokens.ts";

const SECOND_MS = 1_000;
/** Cookies know no ports: systems on one machine tell theirs apart by this many hex digits of the hash of their key. */
const NAME_DIGITS = 12;

const Claims = z.object({ d: z.string(), use: z.enum(["session", "code"]), jti: z.string(), exp: z.number() });

/** The sessions of one host. */
export class UiSessions {
  readonly #tokens: Tokens;
  readonly #key: Uint8Array;
  readonly #nowMs: () => number;
  /** Codes that were used, until they expire. */
  readonly #used = new Map<string, number>();
  readonly #found = new WeakMap<IncomingMessage, { readonly identity: Identity; readonly digest: string; readonly untilMs: number }>();
  /** Name of the cookie: the same on each host of the system, and another one for each system. */
  readonly cookie: string;

  constructor(tokens: Tokens, appToken: string | undefined, nowMs: () => number) {
    this.#tokens = tokens;
    this.#key = createHash("sha256")
      .update(`troupe dashboard session\n${appToken ?? randomUUID()}`)
      .digest();
    this.cookie = `troupe-${createHash("sha256").update(this.#key).digest("hex").slice(0, NAME_DIGITS)}`;
    this.#nowMs = nowMs;
  }

  /** The identity of a request by its cookie, which {@link note} has found. */
  identityOf(request: IncomingMessage): Identity | undefined {
    return this.#found.get(request)?.identity;
  }

  /** The content of another cookie for a session that is past half of its time; undefined for all others. */
  async renewed(request: IncomingMessage): Promise<string | undefined> {
    const found = this.#found.get(request);
    if (found === undefined || found.untilMs - this.#nowMs() > LIMITS.uiSessionMs / 2) return undefined;
    return this.#sealed(found.digest, "session", LIMITS.uiSessionMs);
  }

  /** Looks for the session of a request. */
  async note(request: IncomingMessage): Promise<void> {
    const cookie = cookieOf(request, this.cookie);
    const claims = cookie === undefined ? undefined : await this.#claims(cookie, "session");
    const identity = claims === undefined ? undefined : this.#tokens.holderOfDigest(claims.d);
    if (claims !== undefined && identity !== undefined)
      this.#found.set(request, { identity, digest: claims.d, untilMs: claims.exp * SECOND_MS });
  }

  /** A code for one login within a minute. Throws `auth.token` for an unknown token. */
  async codeFor(token: string | undefined): Promise<string> {
    return this.#sealed(this.#digestOf(token), "code", LIMITS.uiCodeMs);
  }

  /** The content of a session's cookie for a token. Throws `auth.token` for an unknown one. */
  async sessionFor(token: string | undefined): Promise<string> {
    return this.#sealed(this.#digestOf(token), "session", LIMITS.uiSessionMs);
  }

  /** The content of a session's cookie for a code, which is used up. Throws `auth.token`. */
  async redeem(code: string): Promise<string> {
    const claims = await this.#claims(code, "code");
    const nowMs = this.#nowMs();
    for (const [id, untilMs] of this.#used) if (untilMs < nowMs) this.#used.delete(id);
    if (claims === undefined || this.#used.has(claims.jti))
      throw new Fault("auth.token", "the code was used, or is older than a minute; ask for another one with `troupe ui`");
    this.#used.set(claims.jti, claims.exp * SECOND_MS);
    return this.#sealed(claims.d, "session", LIMITS.uiSessionMs);
  }

  #digestOf(token: string | undefined): string {
    if (token === undefined || this.#tokens.holder(token) === undefined)
      throw new Fault("auth.token", "the token is not valid for this app");
    return createHash("sha256").update(token).digest("hex");
  }

  #sealed(digest: string, use: "session" | "code", forMs: number): Promise<string> {
    return new EncryptJWT({ d: digest, use })
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .setJti(randomUUID())
      .setExpirationTime(Math.ceil((this.#nowMs() + forMs) / SECOND_MS))
      .encrypt(this.#key);
  }

  async #claims(text: string, use: "session" | "code"): Promise<z.infer<typeof Claims> | undefined> {
    try {
      const { payload } = await jwtDecrypt(text, this.#key, { currentDate: new Date(this.#nowMs()) });
      const claims = Claims.parse(payload);
      return claims.use === use ? claims : undefined;
    } catch {
      return undefined;
    }
  }
}

function cookieOf({ headers }: IncomingMessage, wanted: string): string | undefined {
  for (const part of (headers.cookie ?? "").split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === wanted) return value;
  }
  return undefined;
}
