/** @module The agents: what they are for, what they may do, and what they do now. */
import type { ReactNode } from "react";
import type { AgentsView, AgentView } from "../../../runtime/overview.ts";
import { Answer, Box, Empty, Facts, Head, Mark } from "../parts/blocks.tsx";
import { countText } from "../parts/format.ts";
import { Link, useLoad } from "../parts/page.tsx";
import { TO } from "../parts/paths.ts";

/** The screen. */
export function AgentsScreen(): ReactNode {
  const agents = useLoad<AgentsView>("/agents");
  return (
    <>
      <Head title="Agents" about="Who does the work. Running and queued work is that of the host that answers.">
        <Link className="p-button" to={TO.graph()}>
          Who calls whom
        </Link>
      </Head>
      <Answer of={agents}>
        {(data) =>
          data.agents.length === 0 ? (
            <Empty title="This system has no agents">Its routes consist of timers, signals and other routes.</Empty>
          ) : (
            <>
              <div className="v-agents">
                {data.agents.map((agent) => (
                  <Agent key={agent.name} agent={agent} />
                ))}
              </div>
              <p className="p-faint">Host {data.host}</p>
            </>
          )
        }
      </Answer>
    </>
  );
}

function Agent({ agent }: { readonly agent: AgentView }): ReactNode {
  const { name, version, kind, about, keyed, models, prompts } = agent;
  return (
    <Box title={name} side={<Mark tone={kind === "model" ? "info" : "plain"}>{kind}</Mark>}>
      {about === undefined ? null : <p>{about}</p>}
      {kind === "person" ? <Link to={TO.inbox({ person: name })}>What waits for {name}</Link> : <Load agent={agent} />}
      <Facts
        of={[
          ["Version", String(version)],
          ["One actor for each", kind === "person" ? undefined : keyed ? "key" : "work item"],
          ["Models", models.join(", ")],
          ["Prompts", prompts.length === 0 ? "" : <Link to={TO.releases}>{prompts.join(", ")}</Link>],
        ]}
      />
      <Tools agent={agent} />
    </Box>
  );
}

/** What it does at the host that answers. */
function Load({ agent: { name, running, queued, slots } }: { readonly agent: AgentView }): ReactNode {
  return (
    <div className="v-load">
      <span>
        <strong>{countText(running)}</strong> running{slots === undefined ? "" : ` of ${countText(slots)}`}
      </span>
      <span>
        <strong>{countText(queued)}</strong> queued
      </span>
      {slots === undefined ? null : <meter min={0} max={slots} value={Math.min(running, slots)} aria-label={`Slots of ${name} in use`} />}
    </div>
  );
}

function Tools({ agent: { name, tools } }: { readonly agent: AgentView }): ReactNode {
  if (tools.length === 0) return null;
  return (
    <table className="p-table">
      <caption className="p-visually-hidden">Tools of {name}</caption>
      <thead>
        <tr>
          <th>Tool</th>
          <th>Effect</th>
          <th>Undo</th>
          <th>Permission</th>
        </tr>
      </thead>
      <tbody>
        {tools.map((tool) => (
          <tr key={tool.name}>
            <td className="p-cell-main">{tool.name}</td>
            <td>
              <Mark tone={tool.effect === "read" ? "good" : "warn"}>{tool.effect}</Mark>{" "}
              {tool.breaker === undefined || tool.breaker === "closed" ? null : <Mark tone="bad">{`breaker ${tool.breaker}`}</Mark>}
            </td>
            <td>{tool.undo ? "yes" : <span className="p-faint">no</span>}</td>
            <td>{tool.permission ?? <span className="p-faint">none</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
