/** @module A folder of notes, with the tools of an MCP server from npm: plain code writes its index, a model answers questions from it. */
import { agent, contract, model, openai, route, system } from "troupe";
import { mcpServer } from "troupe/mcp";
import { z } from "zod";

const folder = process.env["NOTES_FOLDER"] ?? ".";
const place = { command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", folder] };
export const files = mcpServer("files", place, {
  // Written by `troupe mcp lock examples/10-mcp/system.ts`: what the server says of these tools. It is checked, and a model is told it.
  lock: new URL("./mcp.lock.json", import.meta.url),
  // All other tools of the server do not exist here.
  tools: {
    search_files: { effect: "read", output: z.object({ content: z.string() }) },
    read_text_file: { effect: "read", output: z.object({ content: z.string() }) },
    // The same content again changes nothing, so a call whose end is unknown may be repeated. The default is to stop.
    // What it writes comes from the notes, which are untrusted as all that a server says; into the index beside them it may.
    write_file: { effect: "write", unknown: "repeat", declassify: 'input.path.endsWith("/INDEX.md")' },
  },
});
const [search, read, write] = [files.tool("search_files"), files.tool("read_text_file"), files.tool("write_file")];

const Folder = z.object({ folder: z.string() });
const Index = contract("Index", 1, { input: Folder, output: z.object({ notes: z.array(z.string()) }) });
const index = agent(Index, {
  tools: files.tools,
  handle: async (input, ctx) => {
    const found = await ctx.call(search, { path: input.folder, pattern: "*.md" });
    const paths = found.content.split("\n").filter((path) => !path.endsWith("INDEX.md"));
    const notes: string[] = [];
    for (const path of paths.toSorted()) {
      const { content } = await ctx.call(read, { path, head: 1 });
      notes.push(content.replace(/^# /, "").trim());
    }
    await ctx.call(write, { path: `${input.folder}/INDEX.md`, content: notes.map((note) => `- ${note}\n`).join("") });
    return { notes };
  },
});

const Librarian = contract("Librarian", 1, {
  input: Folder.extend({ question: z.string(), notes: z.array(z.string()) }),
  output: z.string(),
});
const librarian = agent(
  Librarian,
  model({
    instructions: "Answer the question in one sentence from the notes in the folder. Search them, and read what fits.",
    tools: [search, read],
  }),
);

const ask = route("ask", 1, Folder.extend({ question: z.string() }))
  .to("index", Index, ({ task }) => ({ folder: task.folder }))
  .to("answer", Librarian, ({ task, index: { notes } }) => ({ folder: task.folder, question: task.question, notes }))
  .output(({ answer }) => answer);
export default system("notes", { agents: [index, librarian], routes: [ask], models: { fast: openai({ model: "gpt-5-mini" }) } });
