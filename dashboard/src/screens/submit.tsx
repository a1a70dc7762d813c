/** @module Submits a task: a route, its input by a form or as JSON, and the receipt, which leads to the run. */
import { type ReactNode, useId, useMemo, useState } from "react";
import type { Receipt, SchemasAnswer } from "../../../runtime/answers.ts";
import type { Json } from "../../../runtime/faults.ts";
import type { StopsView } from "../../../runtime/process-view.ts";
import { ActForm, useActing } from "../parts/act.tsx";
import { Answer, Box, Empty, Head } from "../parts/blocks.tsx";
import { submitCommand } from "../parts/commands.ts";
import { InputEditor } from "../parts/input-editor.tsx";
import { useLoad, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";
import { problemsOf } from "../parts/schema-check.ts";
import { initialOf } from "../parts/schema-field.ts";

/** The screen. */
export function SubmitScreen({ query }: ScreenProps): ReactNode {
  const page = usePage();
  const schemas = useLoad<SchemasAnswer>("/schemas");
  const from = query.get("from") ?? "";
  const known = useLoad<StopsView>(from === "" ? undefined : `${API.process(from)}/stops`);
  const id = useId();
  return (
    <>
      <Head title="Submit a task" about="A task is accepted when its receipt is given. From then on it ends in exactly one outcome." />
      <Answer of={schemas}>
        {({ routes }) => {
          const names = Object.keys(routes);
          const route = query.get("route") ?? names[0];
          const schema = route === undefined ? undefined : routes[route];
          if (route === undefined)
            return <Empty title="This system has no routes">A route is what a task takes: define one, and start the system again.</Empty>;
          return (
            <Box>
              <div className="p-field">
                <label className="p-label" htmlFor={id}>
                  Route
                </label>
                <select id={id} value={route} onChange={(event) => page.go(TO.submit(event.target.value))}>
                  {(names.includes(route) ? names : [route, ...names]).map((name) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              </div>
              {known.isLoading ? null : <TaskForm key={route} route={route} schema={schema?.input} known={known.data?.task} />}
            </Box>
          );
        }}
      </Answer>
    </>
  );
}

function TaskForm({
  route,
  schema,
  known,
}: {
  readonly route: string;
  readonly schema: SchemasAnswer["routes"][string]["input"] | undefined;
  /** The input of an earlier task, to begin with. */
  readonly known: Json | undefined;
}): ReactNode {
  const page = usePage();
  const first = useMemo(() => (schema === undefined ? undefined : initialOf(schema, schema)), [schema]);
  const [input, setInput] = useState<Json | undefined>(known ?? first);
  const [givenId, setGivenId] = useState("");
  const [untrusted, setUntrusted] = useState("");
  // Sent again after a lost answer it is still one task.
  const [madeId] = useState(() => crypto.randomUUID());
  const id = givenId === "" ? madeId : givenId;
  const problems = schema === undefined ? [] : problemsOf(input, schema);
  const acting = useActing(
    () => page.post<Receipt>("/tasks", { id, route, input, ...(untrusted === "" ? {} : { untrusted }) }),
    (receipt) => page.go(TO.run(receipt.id)),
  );
  const blocked =
    input === undefined
      ? "The input is not complete."
      : problems.length > 0
        ? `${problems[0]?.path ?? ""} ${problems[0]?.text ?? ""}.`.trim()
        : undefined;
  return (
    <ActForm
      name="Submit"
      role="submit"
      acting={acting}
      blocked={blocked}
      command={submitCommand(route, input ?? null, {
        ...(givenId === "" ? {} : { id: givenId }),
        ...(untrusted === "" ? {} : { untrusted }),
      })}
    >
      <InputEditor label="Input" schema={schema} value={input} onChange={setInput} />
      <details className="p-more">
        <summary>More options</summary>
        <label className="p-field">
          <span className="p-label">Id of the task (optional)</span>
          <input value={givenId} pattern="[A-Za-z0-9_.\-]{1,128}" onChange={(event) => setGivenId(event.target.value)} />
          <span className="p-faint">The same id with the same input is the same task.</span>
        </label>
        <label className="p-field">
          <span className="p-label">Untrusted origin (optional)</span>
          <input value={untrusted} maxLength={128} onChange={(event) => setUntrusted(event.target.value)} />
          <span className="p-faint">If the input holds a text of strangers: where it comes from, such as mail.</span>
        </label>
      </details>
    </ActForm>
  );
}
