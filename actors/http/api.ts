/** @module The handlers of the HTTP API's routes. */
import { Router, type Request, type RequestHandler, type Response } from "express";
import type { z } from "zod";
import { redacted } from "../../runtime/cassette/redact.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { requireTaskId } from "../../runtime/ids.ts";
import type { ProcessView } from "../../runtime/process-view.ts";
import { traceId } from "../../runtime/protocol.ts";
import type { Caller, Operations, Page } from "../operations/operations.ts";
import { check, readJson, requireJson } from "./body.ts";
import type { ChangeStreams } from "./change-streams.ts";
import { type Contents, isOwn } from "./contents.ts";
import type { Followers, Shown } from "./follow.ts";
import { identityOf, requireName, requireRole } from "./guard.ts";
import { openApiDocument } from "./openapi.ts";
import type { RouteSpec } from "./route-spec.ts";
import { ALL_ROUTES, ROUTES } from "./routes.ts";
import { operationsOf, processOf } from "./tenancy.ts";
import { callerTrace, traceOf } from "./trace.ts";
import type { Logger } from "../engine/log.ts";

const STATUS_OK = 200;
const STATUS_ACCEPTED = 202;
const PAGE_ENTRIES_DEFAULT = 50;

/** The parts that the API works on. */
export interface ApiOptions {
  readonly system: string;
  readonly operations: Operations;
  readonly followers: Followers;
  readonly contents: Contents;
  readonly changes: ChangeStreams;
  readonly logger: Logger;
  /** Throws `system.stopping` when no new work may begin. */
  readonly admit: () => void;
}

/** A request that passed its checks. */
interface Asked<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly caller: Caller;
  /** What the caller's tenant may see and change. */
  readonly operations: Operations;
  readonly tenant: string | undefined;
  readonly request: Request;
  readonly response: Response;
}

/** An answer. */
interface Answered {
  readonly status: number;
  readonly body: unknown;
  readonly location?: string;
}

/** Handles a request. Undefined: it has sent the answer itself. */
type Handler<P, Q, B> = (asked: Asked<P, Q, B>) => Promise<Answered | undefined>;

const ok = (body: unknown): Answered => ({ status: STATUS_OK, body });
const page = (content: Page): Answered => ok(content);

/** Serves the routes of the table, and 405 for other methods on their paths. */
export function apiRoutes(options: ApiOptions): Router {
  const router = Router({ caseSensitive: true });
  const api = new Api(router, options);
  taskRoutes(api, options);
  letterRoutes(api);
  bulkRoutes(api);
  inboxRoutes(api);
  systemRoutes(api, options);
  api.refuseOtherMethods();
  return router;
}

function taskRoutes(api: Api, { followers, contents, admit }: ApiOptions): void {
  api.serve(ROUTES.submitTask, async ({ query, body, caller, operations }) => {
    if (body.id !== undefined) requireTaskId(body.id);
    const { receipt, outcome } = await operations.submit(body, caller, query.waitMs ?? 0);
    const location = `/processes/${receipt.id}`;
    return outcome === undefined ? { status: STATUS_ACCEPTED, body: receipt, location } : { status: STATUS_OK, body: outcome, location };
  });
  api.serve(ROUTES.listProcesses, async ({ query: { cursor, limit, ...filter }, operations }) =>
    page(await operations.processes(filter, cursor, limit ?? PAGE_ENTRIES_DEFAULT)),
  );
  api.serve(ROUTES.showProcess, async ({ params, operations }) => ok(await operations.process(params.id)));
  api.serve(ROUTES.showStops, async ({ params, operations }) => ok(await operations.stops(params.id)));
  api.serve(ROUTES.showHistory, async ({ params, query, operations }) =>
    ok(await operations.history(params.id, query.from ?? 0, query.limit ?? PAGE_ENTRIES_DEFAULT)),
  );
  api.serve(ROUTES.showTimeline, async ({ params, operations }) => ok(await operations.timeline(params.id)));
  api.serve(ROUTES.showCassette, async ({ params: { id }, query, request, caller, operations }) => {
    if (query.contents === true) requireRole(request, "content");
    const cassette = await operations.cassette(id);
    if (query.contents !== true) return ok(redacted(cassette));
    await contents.look("process", id, { caller, operations });
    return ok(cassette);
  });
  api.serve(ROUTES.replayProcess, async ({ params, operations }) => ok(await operations.replay(params.id)));
  api.serve(ROUTES.forkProcess, async ({ params, body, operations }) => ok(await operations.fork(params.id, body)));
  api.serve(ROUTES.diffProcesses, async ({ params, operations }) => ok(await operations.diff(params.id, params.other)));
  api.serve(ROUTES.showConversation, async ({ params, operations }) => ok(await operations.conversation(params.id, params.work)));
  api.serve(ROUTES.followProcess, async ({ params, query, request, response, tenant, caller, operations }) => {
    admit();
    const shown = async (first: ProcessView): Promise<Shown> => {
      const identity = identityOf(request);
      const isOfCaller = isOwn(first, identity);
      const withContent = isOfCaller || identity.roles.has("content");
      if (withContent && !isOfCaller) await contents.look("process", params.id, { caller, operations });
      return { withContent, withDeltas: withContent && query.deltas !== false };
    };
    await followers.serve(processOf(params.id, tenant), request, response, shown);
    return undefined;
  });
  api.serve(ROUTES.cancelProcess, async ({ params, body, caller, operations }) => ({
    status: STATUS_ACCEPTED,
    body: await operations.cancel(params.id, body.reason ?? "cancelled over HTTP", caller),
  }));
  api.serve(ROUTES.pauseProcess, async ({ params, body: { reason = "paused over HTTP", tree }, caller, operations }) => ({
    status: STATUS_ACCEPTED,
    body: await operations.act(params.id, "pause", { reason, tree }, caller),
  }));
  api.serve(ROUTES.resumeProcess, async ({ params, body: { reason = "resumed over HTTP", tree }, caller, operations }) => ({
    status: STATUS_ACCEPTED,
    body: await operations.act(params.id, "resume", { reason, tree }, caller),
  }));
  api.serve(ROUTES.terminateProcess, async ({ params, body, caller, operations }) => ({
    status: STATUS_ACCEPTED,
    body: await operations.act(params.id, "terminate", body, caller),
  }));
  api.serve(ROUTES.signalProcess, async ({ params, body, caller, operations }) => ({
    status: STATUS_ACCEPTED,
    body: await operations.signal(params.id, params.name, body.payload ?? null, caller, body.signalId),
  }));
}

function letterRoutes(api: Api): void {
  api.serve(ROUTES.listDeadLetters, async ({ query: { cursor, limit, ...filter }, operations }) =>
    page(await operations.deadLetters(filter, cursor, limit ?? PAGE_ENTRIES_DEFAULT)),
  );
  api.serve(ROUTES.showDeadLetter, async ({ params, operations }) => ok(await operations.deadLetter(params.id)));
  api.serve(ROUTES.redriveDeadLetter, async ({ params, body, caller, operations }) => {
    const receipt = await operations.redrive(params.id, body, caller);
    return { status: STATUS_ACCEPTED, body: receipt, location: `/processes/${receipt.id}` };
  });
  api.serve(ROUTES.discardDeadLetter, async ({ params, body, caller, operations }) =>
    ok(await operations.discard(params.id, body.reason, caller)),
  );
}

function bulkRoutes(api: Api): void {
  api.serve(ROUTES.decideDeadLetters, async ({ body, caller, operations }) => ok(await operations.decideLetters(body, caller)));
}

function inboxRoutes(api: Api): void {
  api.serve(ROUTES.listInbox, async ({ query: { cursor, limit, process: processId, ...filter }, operations }) =>
    page(await operations.inbox({ ...filter, processId }, cursor, limit ?? PAGE_ENTRIES_DEFAULT)),
  );
  api.serve(ROUTES.showRequest, async ({ params, operations }) => ok(await operations.request(params.id)));
  api.serve(ROUTES.decideRequest, async ({ params, body, caller, operations, request }) => {
    requireName(request);
    const receipt = await operations.decide(params.id, body, caller);
    return { status: STATUS_ACCEPTED, body: receipt, location: `/processes/${receipt.processId}` };
  });
  api.serve(ROUTES.listRules, async ({ query, caller, operations }) => ok(await operations.rules(query.all ?? false, caller)));
  api.serve(ROUTES.revokeRule, async ({ params, body, caller, operations, request }) => {
    requireName(request);
    return ok(await operations.revokeRule(params.id, body.reason ?? "", caller));
  });
}

function systemRoutes(api: Api, { operations, system, changes, admit }: ApiOptions): void {
  api.constant(ROUTES.showGraph, operations.graph());
  api.constant(ROUTES.showSchemas, operations.schemas());
  api.constant(ROUTES.showOpenApi, openApiDocument(system));
  api.serve(ROUTES.listAudit, async ({ query: { cursor, limit, ...filter }, operations }) =>
    page(await operations.audit(cursor, limit ?? PAGE_ENTRIES_DEFAULT, filter)),
  );
  api.serve(ROUTES.showOverview, async ({ query, operations }) => ok(await operations.overview(query.sinceMs)));
  api.serve(ROUTES.showCosts, async ({ query, operations }) => ok(await operations.costs(query.sinceMs)));
  api.serve(ROUTES.listAgents, async ({ operations }) => ok(operations.agents()));
  api.serve(ROUTES.showSystem, async ({ operations }) => ok(await operations.system()));
  api.serve(ROUTES.followChanges, async ({ request, response, operations }) => {
    admit();
    changes.serve(request, response, operations);
    return undefined;
  });
  api.serve(ROUTES.listModels, async ({ operations }) => ok(operations.models()));
  api.serve(ROUTES.listMemories, async ({ operations }) => ok(await operations.memories()));
  api.serve(ROUTES.showMemory, async ({ params, query, caller, operations }) => ok(await operations.memory(params.memory, query, caller)));
  api.serve(ROUTES.forgetFact, async ({ params, body: { id, ...options }, caller, operations }) =>
    ok(await operations.forgetFact(params.memory, id, options, caller)),
  );
  api.serve(ROUTES.promoteFact, async ({ params, body: { id, reason }, caller, operations }) =>
    ok(await operations.promoteFact(params.memory, id, reason, caller)),
  );
  api.serve(ROUTES.listSources, async ({ operations }) => ok(await operations.sources()));
  api.serve(ROUTES.syncSource, async ({ params, caller, operations }) => ok(await operations.syncSource(params.name, caller)));
  api.serve(ROUTES.showDrift, async ({ query, operations }) => ok(await operations.drift(query)));
  api.serve(ROUTES.showDigest, async ({ query, operations }) => ok(await operations.digest(query)));
  api.serve(ROUTES.listReleases, async ({ operations }) => ok(operations.releases()));
  api.serve(ROUTES.stopRelease, async ({ params, body, caller, operations }) =>
    ok(await operations.stopRelease(params.agent, body.reason, caller)),
  );
  api.serve(ROUTES.listBroken, async ({ operations }) => ok(await operations.broken()));
  api.serve(ROUTES.setAside, async ({ body: { actor, ...options }, caller, operations }) =>
    ok(await operations.setAside(actor, options, caller)),
  );
  api.serve(ROUTES.purge, async ({ body, caller, operations }) => ok(await operations.purge(body, caller)));
}

/** A path of the table in Express's form. */
function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

class Api {
  readonly #router: Router;
  readonly #contents: Contents;
  readonly #options: ApiOptions;

  constructor(router: Router, options: ApiOptions) {
    this.#contents = options.contents;
    this.#router = router;
    this.#options = options;
  }

  /** Serves one route: checks the role, then the request, runs the handler, then checks its answer. */
  serve<P, Q, B>(spec: RouteSpec<P, Q, B>, handle: Handler<P, Q, B>): void {
    const { role, also, params, query, method, answers } = spec;
    this.#router[method](expressPath(spec.path), async (request, response) => {
      requireRole(request, role === "open" ? undefined : role);
      requireRole(request, also);
      if (method === "post") this.#options.admit();
      const { principal, tenant } = identityOf(request);
      const asked = { caller: { principal, trace: callerTrace(request) }, operations: operationsOf(this.#options.operations, tenant) };
      const answered = await handle({
        params: check(params, { ...request.params }, "id.invalid", "the path"),
        query: check(query, request.query, "body.invalid", "the query"),
        body: await bodyOf(spec, request),
        ...asked,
        tenant,
        request,
        response,
      });
      if (answered === undefined) return;
      if (answered.location !== undefined) response.location(answered.location);
      this.#look(answers[answered.status]?.schema, answered.body, request);
      const shown =
        spec.content === undefined ? answered.body : await this.#contents.shown(spec.content, answered.body, { request, ...asked });
      response.status(answered.status).json(shown);
    });
  }

  /** Serves a document that never changes; it is serialised once. */
  constant<P, Q, B>(spec: RouteSpec<P, Q, B>, document: Json): void {
    const text = JSON.stringify(document);
    this.serve(spec, async ({ response }) => {
      response.type("json").send(text);
      return undefined;
    });
  }

  /**
   * Checks an answer against its schema. A mismatch is a defect, or the answer comes from a host of another version. The answer is sent
   * anyway, since the operator needs it now, and the mismatch is logged.
   */
  #look(schema: z.ZodType | undefined, body: unknown, request: Request): void {
    const looked = schema?.safeParse(body);
    if (looked === undefined || looked.success) return;
    this.#options.logger.error(
      { path: request.path, traceId: traceId(traceOf(request)), issues: looked.error.issues.slice(0, 1) },
      "an answer does not match its schema",
    );
  }

  refuseOtherMethods(): void {
    const methods = new Map<string, string[]>();
    for (const [, { path, method }] of ALL_ROUTES)
      methods.set(path, [...(methods.get(path) ?? []), ...(method === "get" ? ["GET", "HEAD"] : ["POST"])]);
    for (const [path, allowed] of methods) this.#router.all(expressPath(path), refuseMethod([...allowed, "OPTIONS"].join(", ")));
  }
}

const STATUS_NO_CONTENT = 204;

function refuseMethod(allowed: string): RequestHandler {
  return (request, response) => {
    response.set("allow", allowed);
    if (request.method !== "OPTIONS") throw new Fault("method.unknown", `${request.path} takes ${allowed}`);
    response.status(STATUS_NO_CONTENT).end();
  };
}

/** Reads a JSON body, or none. */
async function bodyOf<P, Q, B>({ body: schema, bodyOptional }: RouteSpec<P, Q, B>, request: Request): Promise<B> {
  // Only routes without a body have no schema for one, and their handlers never read it.
  if (schema === undefined) return undefined as B;
  requireJson(request);
  const body = await readJson(request);
  return check(schema, body === undefined && bodyOptional === true ? {} : body, "body.invalid", "the body");
}
