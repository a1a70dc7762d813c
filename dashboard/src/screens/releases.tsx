/** @module Releases: which version of prompt and model each agent uses, how a canary does against the stable one, and its stop. */
import { type ReactNode, useState } from "react";
import type { ReleasesView, ReleaseVersion, ReleaseView, StopRule } from "../../../runtime/release.ts";
import { ActForm, ReasonField, useActing } from "../parts/act.tsx";
import { Answer, Box, Empty, Facts, Head, Mark, Note, Scrolled, type Tone, When } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { countText, shareText } from "../parts/format.ts";
import { useLoad, usePage } from "../parts/page.tsx";
import { API } from "../parts/paths.ts";

/** The screen. */
export function ReleasesScreen(): ReactNode {
  const releases = useLoad<ReleasesView>("/releases");
  return (
    <>
      <Head
        title="Releases"
        about="The version of its prompt and the model that each agent uses: for all processes, or for a share of them."
      />
      <Answer of={releases}>
        {({ releases: all, problem }) => (
          <>
            {problem === undefined ? null : (
              <Note tone="bad">The present content cannot be used, so the last good one is in force: {problem}</Note>
            )}
            {all.length === 0 ? (
              <Empty title="No model agents">Versions of prompts and models are released for model agents.</Empty>
            ) : (
              all.map((release) => <Release key={release.agent} release={release} reload={releases.reload} />)
            )}
          </>
        )}
      </Answer>
    </>
  );
}

/** As the rules for stopping name them. */
const STOP_COUNTS = ["failed", "repairs", "fallbacks", "refusals", "ungrounded", "usd", "retries"] as const;

function versionText({ prompt, model }: ReleaseVersion): string {
  return (
    [prompt === undefined ? "" : `prompt ${prompt}`, model === undefined ? "" : `model ${model}`]
      .filter((text) => text !== "")
      .join(", ") || "the default of the code"
  );
}

function ruleText({ of, above, than, processesMin }: StopRule): string {
  const limit = `${above} ${than === "stable" ? "times that of the stable version" : "per process"}`;
  return `${of} above ${limit}, from ${countText(processesMin)} processes on`;
}

const CANARY_TONES: Readonly<Record<ReleaseView["canary"], Tone>> = { none: "plain", waiting: "warn", "in force": "info", stopped: "bad" };

function Release({ release: view, reload }: { readonly release: ReleaseView; readonly reload: () => void }): ReactNode {
  const { agent, prompts, release, from, stopped, counts, broken } = view;
  const { canary } = release;
  return (
    <Box
      title={agent}
      side={
        <span className="p-row">
          <Mark>{from}</Mark>
          {canary === undefined ? null : (
            <Mark tone={CANARY_TONES[view.canary]}>
              canary {view.canary === "in force" ? `at ${shareText(canary.share)}` : view.canary}
            </Mark>
          )}
        </span>
      }
    >
      <Facts
        of={[
          ["Stable", versionText(release.stable)],
          ["Canary", canary === undefined ? undefined : `${versionText(canary.version)}, ${shareText(canary.share)} of the processes`],
          ["Stops when", canary === undefined || canary.stop.length === 0 ? undefined : canary.stop.map(ruleText).join("; ")],
          ["Stopped by", canary === undefined ? undefined : canary.automatic ? "itself, without a person" : "a person"],
          ["Prompts in the code", prompts.join(", ")],
        ]}
      />
      {stopped === undefined ? null : (
        <Note tone="warn">
          The canary was stopped by {stopped.by}, <When atMs={stopped.atMs} />: {stopped.why}. All processes use the stable version.
        </Note>
      )}
      {broken.map((rule) => (
        <Note key={rule} tone="warn">
          A rule for stopping is broken: {rule}
        </Note>
      ))}
      {canary === undefined ? null : <Counts counts={counts} />}
      {canary === undefined || stopped !== undefined ? null : <Stop agent={agent} reload={reload} />}
    </Box>
  );
}

function Counts({ counts }: { readonly counts: ReleaseView["counts"] }): ReactNode {
  if (counts.length === 0) return <p className="p-faint">No ended process has used it yet.</p>;
  const names = STOP_COUNTS.filter((name) => counts.some(({ of }) => of[name] !== undefined));
  return (
    <Scrolled label="Counts by version">
      <table className="p-table">
        <caption className="p-faint">Mean per process, by version</caption>
        <thead>
          <tr>
            <th>Version</th>
            <th className="p-num">Processes</th>
            {names.map((name) => (
              <th key={name} className="p-num">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {counts.map(({ part, version, processes, of }) => (
            <tr key={part}>
              <td>
                {version} <span className="p-faint">{part}</span>
              </td>
              <td className="p-num">{countText(processes)}</td>
              {names.map((name) => (
                <td key={name} className="p-num">
                  {processes === 0 ? "" : ((of[name] ?? 0) / processes).toFixed(3)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

function Stop({ agent, reload }: { readonly agent: string; readonly reload: () => void }): ReactNode {
  const page = usePage();
  const [reason, setReason] = useState("");
  const acting = useActing(() => page.post(`${API.release(agent)}/stop`, { reason }), reload);
  return (
    <details className="p-more">
      <summary>Stop the canary</summary>
      <ActForm
        name="Stop the canary"
        role="operate"
        tone="danger"
        acting={acting}
        blocked={reason === "" ? "A stop needs a reason." : undefined}
        command={command(["releases", "stop", agent], { reason })}
      >
        <p className="p-faint">
          All hosts use the stable version for new work items within 5 s. It stays stopped until the release changes.
        </p>
        <ReasonField value={reason} onChange={setReason} isNeeded />
      </ActForm>
    </details>
  );
}
