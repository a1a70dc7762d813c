/** @module The app that takes the tasks and hosts the writer. */
import { agent, remote, route, system } from "troupe";
import { Painter, Text, Writer } from "./contracts.ts";

const writer = agent(Writer, { handle: ({ text }) => ({ text: `${text}, written` }) });
const publish = route("publish", 1, Text)
  .to("written", Writer, ({ task }) => task)
  .to("painted", Painter, ({ written }) => written)
  .output(({ painted }) => painted.text);

export default system("magazine", { agents: [writer], routes: [publish], remote: [remote(Painter, { asks: [Writer] })] });
