/** @module The screen of an address. Those that need large libraries are loaded when they are opened. */
import { lazy, type ReactNode, Suspense } from "react";
import { Empty } from "../parts/blocks.tsx";
import { ACT_SCREENS, fitting, type Screen } from "../screens/table.ts";
import { AgentsScreen } from "../screens/agents.tsx";
import { OverviewScreen } from "../screens/overview.tsx";
import { RunScreen } from "../screens/run.tsx";
import { RunsScreen } from "../screens/runs.tsx";
import { SystemScreen } from "../screens/system.tsx";
import type { Address } from "./address.ts";

const GraphScreen = lazy(() => import("../screens/graph.tsx"));

const SCREENS: Readonly<Record<string, Screen>> = {
  "/": OverviewScreen,
  "/runs": RunsScreen,
  "/runs/:id": RunScreen,
  "/graph": (props) => (
    <Suspense fallback={<div aria-busy="true" />}>
      <GraphScreen {...props} />
    </Suspense>
  ),
  "/agents": AgentsScreen,
  "/system": SystemScreen,
  ...ACT_SCREENS,
};

/** The screen of an address. */
export function screenAt({ path, query }: Address): ReactNode {
  for (const [pattern, Shown] of Object.entries(SCREENS)) {
    const params = fitting(pattern, path);
    if (params !== undefined) return <Shown key={path} params={params} query={query} />;
  }
  return <Empty title="There is no such screen">Choose one on the left.</Empty>;
}
