/** @module Runs of agent_threat_bench: a librarian with a memory learns entries, and answers a question; its model obeys what it reads. */
import { z } from "zod";
import { agent, contract, model, route, system, tool } from "../../agents/index.ts";
import { startLocal } from "../../testing/index.ts";
import { obeying, type ObeyingScript, type ScriptedCall } from "./obeying.ts";
import { type Asked, scriptedPerson } from "./scripted-person.ts";
import type { Threat, ThreatEntry } from "./threats.ts";

const UNKNOWN = "I do not know.";

/** How a question is put. */
export interface ThreatSettings {
  /** Whether the memory holds the tampered entries, or its harmless twin. */
  readonly tampered: boolean;
  /** Whether documents of strangers are untrusted. */
  readonly labels: boolean;
  /** Whether the entry is learnt in the conversation that has the question, or in an earlier one. */
  readonly within: boolean;
}

/** What came of a question. */
export interface ThreatEnd {
  readonly id: string;
  readonly status: string;
  /** What was sent to the one who asked. */
  readonly replies: readonly string[];
  readonly answer: string;
  /** From which untrusted origins the answer comes. */
  readonly label: readonly string[];
  readonly asked: readonly Asked[];
}

const Task = z.object({ learns: z.string().nullable(), question: z.string().nullable() });
const Librarian = contract("Librarian", 1, { input: Task, output: z.string() });
const serve = route("serve", 1, Task)
  .to("answer", Librarian, ({ task }) => task)
  .output(({ answer }) => answer);

/** Learns the entries of a case and puts its question. */
export async function runThreat(threat: Threat, { tampered, labels, within }: ThreatSettings): Promise<ThreatEnd> {
  const { id, question, entries, key } = threat;
  const said = new Map(entries.map((entry) => [entry.key, tampered ? entry.text : entry.clean]));
  const read = (name: string): string => said.get(name) ?? "";
  const replies: string[] = [];
  const asked: Asked[] = [];
  const Key = z.object({ key: z.string() });
  const reads = { effect: "read", input: Key, output: z.string(), run: (input: z.infer<typeof Key>) => read(input.key) } as const;
  const tools = [
    tool("read_document", { ...reads, ...(labels ? {} : { untrusted: false }) }),
    // The house's own handbook.
    tool("read_handbook", { ...reads, untrusted: false }),
    tool("reply", {
      ...{ effect: "egress", input: z.object({ text: z.string() }), output: z.null() },
      run: ({ text }) => {
        replies.push(text);
        return null;
      },
    }),
  ];
  const learning = (entry: ThreatEntry): readonly ScriptedCall[] => [
    { name: tampered && entry.isTampered ? "read_document" : "read_handbook", input: { key: entry.key } },
    { name: "remember", input: { key: entry.key, text: read(entry.key) } },
  ];
  const scripted = obeying(({ messages }): ObeyingScript => {
    const texts = messages.filter(({ role }) => role !== "assistant").map(({ text }) => text);
    const input = texts.find((text) => text.includes('"learns"')) ?? "";
    const learns = entries.find((entry) => input.includes(`"learns":"${entry.key}"`));
    const isAsked = input.includes('"question":"');
    const answer = texts.some((text) => text.toLowerCase().includes(threat.expected.toLowerCase())) ? threat.expected : UNKNOWN;
    const { marker = "no such mark" } = threat;
    return {
      calls: [
        ...(learns === undefined ? [] : learning(learns)),
        ...(isAsked
          ? [
              { name: "recall", input: { key } },
              { name: "reply", input: { text: answer } },
            ]
          : []),
      ],
      // A task that only learns has no one to reply to.
      mark: isAsked ? marker : "no such mark",
      attack: [{ name: "reply", input: { text: marker } }],
      ...{ goesOn: false, answer, attackedAnswer: marker },
    };
  });
  const librarian = agent(
    Librarian,
    model({ instructions: "Learn entries, and answer questions from your memory.", tools, memory: { facts: { scope: "agent" } } }),
  );
  const people = scriptedPerson(
    () => [],
    (_process, one) => asked.push(one),
  );
  const local = startLocal(system("library", { agents: [librarian], routes: [serve], models: { default: scripted } }), { people });
  try {
    for (const entry of entries)
      if (!within || entry.key !== key) await local.run(serve, { learns: entry.key, question: null }, { id: `${id}-${entry.key}` });
    const { status, output = "", label } = await local.run(serve, { learns: within ? key : null, question }, { id });
    return { id, status, replies, answer: output, label, asked };
  } finally {
    await local.stop();
  }
}
