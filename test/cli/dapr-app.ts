/** @module The smallest app daprd can host actors of: run by the tests of the launcher as a process of its own. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

const port = Number(process.argv[2]);

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? "";
  if (url === "/healthz") response.writeHead(200).end();
  else if (url === "/dapr/config") json(response, { entities: ["Echo"], drainRebalancedActors: true, drainOngoingCallTimeout: "1s" });
  else if (url === "/dapr/subscribe") json(response, []);
  else if (url.startsWith("/actors/")) json(response, { pid: process.pid, token: request.headers["dapr-api-token"] ?? null });
  else response.writeHead(404).end();
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

createServer((request, response) => {
  request.resume();
  request.on("end", () => answer(request, response));
}).listen(port, "127.0.0.1");
