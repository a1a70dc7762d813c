/** @module Requests by a seed: good ones, good ones with something wrong, and bytes. */

/** One request. With `bytes` it goes over a bare connection, as it stands. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly bytes?: Buffer;
}

type Random = () => number;

const ROUTES = ["order", "nested", "patient", "many"] as const;
const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"] as const;
const NOISE = [
  "",
  "0",
  "-1",
  "1e9",
  "null",
  "true",
  "..",
  ".",
  "%00",
  "%2F",
  "%",
  "%zz",
  "a b",
  "ä",
  "😀",
  "__proto__",
  "constructor",
  "'",
  '"',
];
const JSON_NOISE: readonly unknown[] = [null, true, 0, -1, 1e308, "", "x", "\u202e\u001b[2J", [], {}, [[]], { json: 1 }, "x".repeat(5_000)];
const JSON_TYPE = "application/json";

/** Makes the same requests for the same seed. */
export class Fuzz {
  readonly #random: Random;
  readonly #ids: string[] = ["none"];
  #made = 0;

  constructor(seed: number) {
    this.#random = mulberry(seed);
  }

  next(): FuzzRequest {
    const draw = this.#random();
    if (draw < 0.3) return this.#submit();
    if (draw < 0.55) return this.#look();
    if (draw < 0.7) return this.#change();
    if (draw < 0.85) return this.#ofDapr();
    if (draw < 0.93) return this.#anything();
    return this.#bare();
  }

  #below(max: number): number {
    return Math.floor(this.#random() * max);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #pick<T>(of: readonly T[]): T {
    return of[this.#below(of.length)] as T;
  }

  /** An id of a task that was submitted, or none. */
  #id(): string {
    if (this.#chance(0.7)) return this.#pick(this.#ids);
    return this.#chance(0.5) ? encodeURIComponent(this.#pick(NOISE)) : this.#pick(NOISE).replaceAll(/[^\x21-\x7e]/g, "~");
  }

  #newId(): string {
    const id = this.#chance(0.1) ? this.#pick(this.#ids) : `task-${(this.#made += 1)}`;
    this.#ids.push(id);
    return id;
  }

  #order(): unknown {
    return {
      item: this.#pick(["none", "tea", "😀", "x".repeat(this.#below(3_000) + 1)]),
      ...(this.#chance(0.5) ? { count: this.#below(9) } : {}),
      ...(this.#chance(0.3) ? { more: this.#pick(JSON_NOISE) } : {}),
      ...(this.#chance(0.02) ? { more: Array.from({ length: this.#below(50_000) }, () => ({})) } : {}),
    };
  }

  #task(): Readonly<Record<string, unknown>> {
    const route = this.#pick(ROUTES);
    return {
      ...(this.#chance(0.8) ? { id: this.#newId() } : {}),
      route,
      input: route === "many" ? Array.from({ length: this.#below(5) }, () => this.#order()) : this.#order(),
      ...(this.#chance(0.2) ? { timeoutMs: this.#below(60_000) } : {}),
    };
  }

  #submit(): FuzzRequest {
    return this.#post(`/tasks${this.#chance(0.3) ? this.#query(["waitMs"], ["0", "5", "20"]) : ""}`, this.#task());
  }

  #look(): FuzzRequest {
    const path = this.#pick([
      "/processes",
      `/processes/${this.#id()}`,
      "/deadletters",
      `/deadletters/${this.#id()}%3A1`,
      "/graph",
      "/audit",
    ]);
    const under = path.startsWith("/processes/") ? this.#pick(["", "/stops", "/history", "/events"]) : "";
    const query = this.#chance(0.4)
      ? this.#query(
          ["limit", "cursor", "state", "status", "route", "from", "decided", "code"],
          ["1", "5", "open", "ended", "order", "false"],
        )
      : "";
    return { method: "GET", path: `${path}${under}${query}`, headers: this.#headers({}) };
  }

  #change(): FuzzRequest {
    const id = this.#id();
    const [path, body] = this.#pick<readonly [string, unknown]>([
      [`/processes/${id}/cancel`, { reason: "fuzz" }],
      [`/processes/${id}/signals/go`, { payload: { ok: true } }],
      [`/processes/${id}/signals/go`, { payload: this.#pick(JSON_NOISE), signalId: `s-${this.#below(9)}` }],
      [`/deadletters/${id}%3A1/redrive`, { input: this.#order() }],
      [`/deadletters/${id}%3A1/discard`, { reason: "fuzz" }],
      ["/purge", { olderThanMs: this.#below(1_000), dryRun: this.#chance(0.5) }],
    ]);
    return this.#post(path, body);
  }

  /** What daprd sends: deliveries of topics, and calls of actors. */
  #ofDapr(): FuzzRequest {
    const data = this.#chance(0.5) ? this.#task() : this.#message();
    const event = { specversion: "1.0", id: this.#newId(), source: "fuzz", type: "t", time: new Date(0).toISOString(), data };
    const told = this.#chance(0.5) ? { ...event, time: "2999-01-01T00:00:00Z" } : event;
    const topic = this.#pick(["tasks", "signals", "manager", "agent/Till"]);
    if (this.#chance(0.6))
      return this.#post(
        `/topics/${topic}`,
        this.#chance(0.8) ? { data_base64: Buffer.from(JSON.stringify(told)).toString("base64") } : told,
      );
    const actor = `/actors/fuzzed.${this.#pick(["ProcessManager", "Till", "Directory", "None"])}/${this.#id()}`;
    const method = this.#pick(["receive", "heartbeat", "inspect", "nudge", "remind/run-1", "unknown"]);
    return { ...this.#post(`${actor}/method/${method}`, this.#message()), method: this.#chance(0.1) ? "DELETE" : "PUT" };
  }

  #message(): unknown {
    const id = this.#pick(this.#ids);
    return {
      v: this.#pick([1, 1, 1, 2, 0]),
      id: `m-${this.#below(1_000)}`,
      to: { type: `fuzzed.${this.#pick(["ProcessManager", "Till"])}`, id },
      from: "fuzz",
      processId: id,
      createdAtMs: 0,
      expiresAtMs: this.#pick([0, 4e12]),
      hop: 0,
      principal: { subject: "fuzz", tenant: "default", permissions: [] },
      trace: { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
      body: this.#pick<unknown>([
        { kind: "cancel", reason: "fuzz" },
        { kind: "signal", name: "go", signalId: "s", payload: { json: { ok: true } } },
        { kind: "result", workId: `${id}:1:pay:0:1`, attempt: 1, result: { output: { json: 1 } } },
        { kind: this.#pick(NOISE) },
        this.#pick(JSON_NOISE),
      ]),
    };
  }

  #anything(): FuzzRequest {
    const parts = Array.from({ length: this.#below(5) }, () => this.#id());
    const path = `/${parts.join("/")}`;
    const made = this.#post(path, this.#pick(JSON_NOISE));
    return { ...made, method: this.#pick(METHODS) };
  }

  /** Bytes for a bare connection: cut, doubled, or with a wrong length. */
  #bare(): FuzzRequest {
    const { method, path, headers, body = Buffer.alloc(0) } = this.#chance(0.5) ? this.#submit() : this.#anything();
    const lines = [
      `${method} ${path} HTTP/1.${this.#pick([0, 1, 1, 9])}`,
      ...(this.#chance(0.9) ? ["host: fuzz"] : []),
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      ...(this.#chance(0.8)
        ? [`content-length: ${this.#chance(0.8) ? body.length : this.#pick([0, 1, -1, 1e9])}`]
        : ["transfer-encoding: chunked"]),
      ...(this.#chance(0.1) ? [this.#pick(["expect: wonders", "upgrade: websocket", "connection: upgrade", "x: \u0001", "no colon"])] : []),
    ];
    const whole = Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
    const bytes = this.#chance(0.3)
      ? Buffer.concat([whole, whole])
      : this.#chance(0.3)
        ? whole.subarray(0, this.#below(whole.length))
        : whole;
    return { method: "BARE", path: "", headers: {}, bytes };
  }

  #post(path: string, content: unknown): FuzzRequest {
    const text = Buffer.from(JSON.stringify(this.#chance(0.3) ? this.#spoilt(content) : content));
    return {
      method: "POST",
      path,
      headers: this.#headers({ "content-type": JSON_TYPE }),
      body: this.#chance(0.2) ? this.#bitten(text) : text,
    };
  }

  /** A copy in which one value is another, or one key more. */
  #spoilt(content: unknown): unknown {
    if (typeof content !== "object" || content === null || this.#chance(0.1)) return this.#pick(JSON_NOISE);
    const keys = Object.keys(content);
    const key = this.#chance(0.2) || keys.length === 0 ? this.#pick(NOISE) : this.#pick(keys);
    const before = (content as Readonly<Record<string, unknown>>)[key];
    return { ...content, [key]: this.#chance(0.5) ? this.#spoilt(before) : this.#pick(JSON_NOISE) };
  }

  /** Bytes with something in them that is no JSON, no text, or not what it seems. */
  #bitten(text: Buffer): Buffer {
    const at = this.#below(text.length + 1);
    const tooth = this.#pick<string | Buffer>([
      Buffer.from([0xff]),
      "\\ud83d",
      "9007199254740993",
      "[".repeat(this.#below(400)),
      "\uFEFF",
      ",",
      '"',
      "\\",
      "\u0000",
      '{"__proto__":1}',
      "",
    ]);
    return Buffer.concat([
      text.subarray(0, at),
      Buffer.from(tooth as string),
      text.subarray(this.#chance(0.5) ? at : this.#below(text.length + 1)),
    ]);
  }

  #query(names: readonly string[], values: readonly string[]): string {
    const pairs = Array.from({ length: this.#below(3) + 1 }, () => {
      const value = this.#chance(0.7) ? this.#pick(values) : encodeURIComponent(this.#pick(NOISE));
      return `${this.#chance(0.9) ? this.#pick(names) : "other"}=${value}`;
    });
    return `?${pairs.join("&")}`;
  }

  #headers(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const more = (["content-type", "content-encoding", "traceparent", "last-event-id", "sec-fetch-site", "accept", "if-match"] as const)
      .filter(() => this.#chance(0.03))
      .map((name) => [name, this.#pick(["", "gzip", "text/plain", "1.2", "cross-site", "00-zz", "x".repeat(2_000)])]);
    return { ...given, ...(Object.fromEntries(more) as Readonly<Record<string, string>>) };
  }
}

/** Mulberry32: uniform in [0, 1). */
function mulberry(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
