/** @module Four tasks over three mails, one of which gives orders. `npm run node examples/14-mail-assistant/main.ts` */
import { startLocal } from "troupe/testing";
import { scriptWithoutKey } from "../scripted.ts";
import { people } from "./people.ts";
import system from "./system.ts";

const ANN = { subject: "ann", tenant: "default", permissions: ["mail.draft", "mail.send"] };

const TASKS = [
  { mail: "m1", wish: "draft an answer", permissions: ["mail.draft"] },
  { mail: "m2", wish: "answer it", permissions: ["mail.draft", "mail.send"] },
  { mail: "m3", wish: "answer it", permissions: ["mail.draft", "mail.send"] },
  { mail: "m3", wish: "draft an answer", permissions: ["mail.draft"] },
];

const stop = await scriptWithoutKey("14-mail-assistant");
const desk = startLocal(system, { people });
for (const { permissions, ...task } of TASKS) {
  console.log(`\n${task.mail}, "${task.wish}", given ${permissions.join(" and ")}:`);
  const { status, output, fault, label } = await desk.run("mail", task, { principal: ANN, permissions });
  console.log(
    fault === undefined ? `  ${status}: ${String(output)} [${label.join(", ")}]` : `  ${status}, ${fault.code}: ${fault.message}`,
  );
}
await desk.stop();
await stop();
