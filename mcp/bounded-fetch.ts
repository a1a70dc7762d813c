/** @module The `fetch` of connections to MCP servers: a response is bounded in bytes, and no stream of notifications is opened. */
import { LIMITS } from "../runtime/limits.ts";

const STATUS_NOT_ALLOWED = 405;

/**
 * Fetches with a bound on the body. A GET would open a stream for notifications and requests of the server; none is opened, which the
 * protocol allows.
 */
export async function boundedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  if ((init?.method ?? "GET") === "GET") return new Response(null, { status: STATUS_NOT_ALLOWED });
  const response = await fetch(url, init);
  if (response.body === null) return response;
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        bytes += chunk.byteLength;
        if (bytes > LIMITS.mcpMessageBytesMax) controller.error(new Error(`the response has more than ${LIMITS.mcpMessageBytesMax} bytes`));
        else controller.enqueue(chunk);
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(counted, { status, statusText, headers });
}
