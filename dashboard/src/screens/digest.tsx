/** @module The digest: what happened since a time, on one page that a person reads once a day. */
import type { ReactNode } from "react";
import type { DigestView } from "../../../runtime/overview.ts";
import { Answer, Box, CommandLine, Head, Mark, Note, When } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { countText, momentText, pluralText, spanText, usdText } from "../parts/format.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { type ScreenProps, TO } from "../parts/paths.ts";
import { sinceOf, WindowChoice, windowOf } from "./costs.tsx";

/** The screen. */
export function DigestScreen({ query }: ScreenProps): ReactNode {
  const page = usePage();
  const windowMs = windowOf(query);
  const digest = useLoad<DigestView>("/digest", { sinceMs: sinceOf(page.nowMs(), windowMs) });
  return (
    <>
      <Head title="Digest" about="What happened, what it cost, what failed and why, and what waits for you.">
        <WindowChoice value={windowMs} onChange={(ms) => page.go(TO.digest({ window: String(ms) }))} />
      </Head>
      <Answer of={digest}>{(data) => <Digest data={data} windowMs={windowMs} />}</Answer>
    </>
  );
}

function Digest({ data, windowMs }: { readonly data: DigestView; readonly windowMs: number }): ReactNode {
  const ended = data.processes.reduce((sum, line) => sum + line.ended, 0);
  const failed = data.processes.reduce((sum, line) => sum + line.failed, 0);
  const redriven = data.processes.reduce((sum, line) => sum + line.redriven, 0);
  return (
    <article className="p-page">
      <p className="p-lead">
        {data.system}, {momentText(data.sinceMs)} to {momentText(data.untilMs)}: {pluralText(ended, "process", "processes")} ended,{" "}
        {failed === 0 ? "none failed" : `${countText(failed)} failed`}
        {redriven === 0 ? "" : `, ${countText(redriven)} after a redrive`}, {usdText(data.usd)} spent
        {data.people.length === 0 ? "" : `, ${pluralText(data.people.length, "request")} waiting for people`}.
      </p>
      {data.atLeast ? <Note tone="warn">There is more than was counted: the numbers are lower bounds.</Note> : null}
      <Section title="Waits for people" none="Nothing waits." of={data.people}>
        {({ request, person, about, sinceMs }) => (
          <li key={request}>
            <Link to={TO.request(request)}>{about === "" ? request : about}</Link> for {person === "" ? "all who may decide" : person},
            asked <When atMs={sinceMs} />
          </li>
        )}
      </Section>
      <Section title="Dead letters by cause" none="No dead letters." of={data.deadLetters}>
        {({ code, count, example, fix }) => (
          <li key={code}>
            <Link to={TO.deadLetters({ code })}>
              <Mark tone="bad">{code}</Mark> {pluralText(count, "letter")}
            </Link>
            , such as <Link to={TO.deadLetter(example)}>{example}</Link>. {fix}
          </li>
        )}
      </Section>
      <Section title="Drift" none="None was found." of={data.drift}>
        {({ route, version, what, now, before }) => (
          <li key={`${route} ${version} ${what}`}>
            <strong>{route}</strong> {version}: {what} {now.toFixed(2)} per process, before {before.toFixed(2)}
          </li>
        )}
      </Section>
      <Section title="Releases" none="No release changed." of={data.releases}>
        {({ agent, what, atMs, why }) => (
          <li key={`${agent} ${atMs}`}>
            <strong>{agent}</strong>: {what}, <When atMs={atMs} />. {why}
          </li>
        )}
      </Section>
      <Section title="Routes" none="No process ended." of={data.processes}>
        {(line) => (
          <li key={line.route}>
            <strong>{line.route}</strong>: {countText(line.ended)} ended, {countText(line.failed)} failed, {usdText(line.usd)}
          </li>
        )}
      </Section>
      <Section title="Slowest stops" none="No stop took a second." of={data.slowest}>
        {({ route, stop, count, p50Ms, maxMs }) => (
          <li key={`${route} ${stop}`}>
            <strong>
              {route} / {stop}
            </strong>
            : half of {countText(count)} took over {spanText(p50Ms)}, the slowest {spanText(maxMs)}
          </li>
        )}
      </Section>
      <Section title="Dearest processes" none="Nothing was spent." of={data.dearest}>
        {({ id, route, usd }) => (
          <li key={id}>
            <Link to={TO.run(id)}>{id}</Link> ({route}): {usdText(usd)}
          </li>
        )}
      </Section>
      <CommandLine text={command(["digest"], { since: spanText(windowMs).replaceAll(" ", "") })} />
    </article>
  );
}

function Section<T>({
  title,
  none,
  of,
  children,
}: {
  readonly title: string;
  readonly none: string;
  readonly of: readonly T[];
  readonly children: (item: T) => ReactNode;
}): ReactNode {
  return <Box title={title}>{of.length === 0 ? <p className="p-faint">{none}</p> : <ul className="p-list">{of.map(children)}</ul>}</Box>;
}
