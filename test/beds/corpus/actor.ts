/** @module The agent of the corpus that acts, and how a flow that leads to it is run. */
import { z } from "zod";
import { contract } from "../../../agents/index.ts";

/** What the actor gets: its case, and texts. */
export const Notes = z.object({ case: z.string(), notes: z.array(z.string()) });

/** Acts as its task says, and as each text says that it reads. */
export const Actor = contract("Actor", 1, { input: Notes, output: z.string() });

/** How a flow is run. */
export interface FlowSettings {
  /** Whether texts of strangers are untrusted. */
  readonly labels: boolean;
  /** Whether the task's own principal says what a stranger would say. */
  readonly own: boolean;
}
