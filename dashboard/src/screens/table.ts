/** @module The screens of acts and knowledge, by the pattern of their address. A part that begins with a colon is a parameter. */
import type { ReactNode } from "react";
import type { ScreenProps } from "../parts/paths.ts";
import { BudgetScreen } from "./budget.tsx";
import { ConversationScreen } from "./conversation.tsx";
import { CostsScreen } from "./costs.tsx";
import { DeadLetterScreen } from "./dead-letter.tsx";
import { DeadLettersScreen } from "./dead-letters.tsx";
import { DigestScreen } from "./digest.tsx";
import { DriftScreen } from "./drift.tsx";
import { ForkScreen } from "./fork.tsx";
import { InboxScreen } from "./inbox.tsx";
import { MemoriesScreen } from "./memories.tsx";
import { MemoryScreen } from "./memory.tsx";
import { ReleasesScreen } from "./releases.tsx";
import { ReplayScreen } from "./replay.tsx";
import { RequestScreen } from "./request.tsx";
import { RunDiffScreen } from "./run-diff.tsx";
import { SubmitScreen } from "./submit.tsx";

/** A screen. */
export type Screen = (props: ScreenProps) => ReactNode;

/** Screens by pattern. */
export const ACT_SCREENS: Readonly<Record<string, Screen>> = {
  "/submit": SubmitScreen,
  "/deadletters": DeadLettersScreen,
  "/deadletters/:id": DeadLetterScreen,
  "/inbox": InboxScreen,
  "/inbox/:id": RequestScreen,
  "/costs": CostsScreen,
  "/memory": MemoriesScreen,
  "/memory/:id": MemoryScreen,
  "/releases": ReleasesScreen,
  "/drift": DriftScreen,
  "/digest": DigestScreen,
  "/runs/:id/budget": BudgetScreen,
  "/runs/:id/replay": ReplayScreen,
  "/runs/:id/fork": ForkScreen,
  "/runs/:id/diff": RunDiffScreen,
  "/runs/:id/diff/:other": RunDiffScreen,
  "/runs/:id/works/:work": ConversationScreen,
};

/** The parameters of an address, if it fits a pattern. */
export function fitting(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, name] of wanted.entries()) {
    const part = given[index] ?? "";
    if (name.startsWith(":")) params[name.slice(1)] = decodeURIComponent(part);
    else if (name !== part) return undefined;
  }
  return params;
}
