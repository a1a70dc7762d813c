/**
 * @module A model that answers at once, or after a fixed time: an OpenAI-compatible server that replies with the last number of the
 * request plus one.
 *
 * The same for all sides of `--work model`, in a process of its own. With DELAY_MS set it answers after that time, except to a
 * warm-up.
 */
import { createServer, type ServerResponse } from "node:http";

interface Asked {
  readonly stream?: boolean;
  readonly model?: string;
  readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
}

const DELAY_MS = Number(process.env["DELAY_MS"] ?? "0");
const CREATED_S = 1_700_000_000;

createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (body += chunk));
  request.on("end", () => {
    const asked = JSON.parse(body) as Asked;
    if (DELAY_MS === 0 || isWarmUp(asked)) answer(asked, response);
    else setTimeout(() => answer(asked, response), DELAY_MS);
  });
}).listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log("listening"));

/** The input of a task of the warm-up has a negative number. */
function isWarmUp({ messages = [] }: Asked): boolean {
  const asked = messages.findLast(({ role }) => role === "user")?.content;
  return typeof asked === "string" && asked.includes('"n":-');
}

function answer({ stream, model = "none", messages = [] }: Asked, response: ServerResponse): void {
  const asked = messages.findLast(({ role }) => role === "user");
  const number = /-?\d+(?=\D*$)/.exec(JSON.stringify(asked?.content ?? ""))?.[0] ?? "0";
  const content = String(Number(number) + 1);
  const usage = { prompt_tokens: 20, completion_tokens: 1, total_tokens: 21 };
  const about = { id: "chatcmpl-0", created: CREATED_S, model };
  if (stream !== true) {
    const choice = { index: 0, message: { role: "assistant", content }, finish_reason: "stop" };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ ...about, object: "chat.completion", choices: [choice], usage }));
    return;
  }
  response.setHeader("content-type", "text/event-stream");
  const chunk = (more: object): string => `data: ${JSON.stringify({ ...about, object: "chat.completion.chunk", ...more })}\n\n`;
  response.end(
    chunk({ choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }] }) +
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) +
      chunk({ choices: [], usage }) +
      "data: [DONE]\n\n",
  );
}
