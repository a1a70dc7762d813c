/** @module Every shape of an answer is a reply or a coded fault, however the network cuts it into pieces. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import { faultOfAnswer } from "../../runtime/model/chat-faults.ts";
import { type ChatReply, replyOfBody, type ReplyParts } from "../../runtime/model/chat-reply.ts";
import { ChatStream } from "../../runtime/model/chat-stream.ts";
import { type Sent, expectEnd, type Shape, SHAPES } from "./shapes.ts";

const NOW_MS = Date.UTC(2026, 9, 21);

const partsOf = (sent: Sent): ReplyParts => ({
  header: (name) => sent.headers[name],
  nowMs: NOW_MS,
  model: "asked-model",
  knownIds: new Set(),
});

function read(shape: Shape, pieces: readonly string[]): ChatReply | Fault {
  const { sent, streamed } = shape;
  const parts = partsOf(sent);
  try {
    if (sent.status !== 200) return faultOfAnswer({ status: sent.status, header: parts.header, body: sent.body }, NOW_MS);
    if (!streamed) return replyOfBody(sent.body, parts);
    const stream = new ChatStream(parts);
    for (const piece of pieces) stream.push(piece);
    return stream.end();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

describe("shapes of answers", () => {
  it("have unique names", () => expect(new Set(SHAPES.map(({ name }) => name)).size).toBe(SHAPES.length));

  it.each(SHAPES)("$name", (shape) => expectEnd(shape, read(shape, [shape.sent.body])));

  it("a stream is the same however it is cut into pieces", () => {
    const streams = SHAPES.filter(({ streamed }) => streamed);
    const cuts = fc.array(fc.nat(), { maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(...streams), cuts, (shape, at) => {
        const { body } = shape.sent;
        const places = [0, ...at.map((place) => (body === "" ? 0 : place % body.length)).toSorted((a, b) => a - b), body.length];
        expectEnd(
          shape,
          read(
            shape,
            places.slice(1).map((place, index) => body.slice(places[index], place)),
          ),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("a stream that ends at any place before its finish is a fault, and never a call", () => {
    const [shape] = SHAPES.filter(({ name }) => name === "streamed: arguments split anywhere");
    const body = shape?.sent.body ?? "";
    const finish = body.indexOf('"finish_reason":"tool_calls"');
    expect(finish).toBeGreaterThan(0);
    for (let end = 0; end < finish; end += 7) {
      const stream = new ChatStream(partsOf({ status: 200, headers: {}, body }));
      expect(() => {
        stream.push(body.slice(0, end));
        stream.end();
      }).toThrow(Fault);
    }
  });
});
