/**
 * @module A mail assistant that may draft and may not send. Its model reads mails of strangers and obeys what it reads; what it may do
 * follows from labels and permissions, not from its instructions.
 */
import { agent, contract, model, openai, person, route, system, tool } from "troupe";
import { z } from "zod";
import { find, keep, post } from "./mailbox.ts";

const Letter = z.object({ to: z.email(), text: z.string() });

const owner = person("Owner", { about: "Whose mail it is", roles: ["owner"], onExpiry: "deny" });

// Free text from outside, so its output is untrusted without a word, and so is all that is derived from it.
const read = tool("read", {
  about: "Reads a mail",
  input: z.object({ id: z.string() }),
  output: z.object({ from: z.string(), subject: z.string(), text: z.string() }),
  effect: "read",
  run: find,
});
// Changes something here: allowed where the submitter gave the task this permission by name.
const draft = tool("draft", {
  about: "Keeps a draft",
  input: Letter,
  output: z.null(),
  effect: "write",
  permission: "mail.draft",
  run: keep,
});
// Leaves the house: what is derived from a mail goes out only as a person has read it.
const send = tool("send", {
  about: "Sends a mail",
  input: Letter,
  output: z.null(),
  effect: "egress",
  permission: "mail.send",
  approver: owner,
  run: post,
});

const Assistant = contract("Assistant", 1, { input: z.object({ mail: z.string(), wish: z.string() }), output: z.string() });
const assistant = agent(
  Assistant,
  model({
    instructions: "Read the mail and do what its owner wishes.",
    tools: [read, draft, send],
    permissions: ["mail.draft", "mail.send"],
  }),
);

const mail = route("mail", 1, z.object({ mail: z.string(), wish: z.string() }))
  .to("done", Assistant, ({ task }) => task)
  .output(({ done }) => done);

export default system("mails", { agents: [assistant, owner], routes: [mail], models: { desk: openai({ model: "gpt-5" }) } });
