/** @module The decision on a request: approve, edit, deny or answer, and the rules that an approval can make standing ones. */
import { type ReactNode, useState } from "react";
import type { Json } from "../../../runtime/faults.ts";
import type { DecisionReceipt } from "../../../runtime/people/answers.ts";
import { ActForm, ReasonField, RoleNote, useActing } from "../parts/act.tsx";
import { Box } from "../parts/blocks.tsx";
import { decideCommand, type Decided } from "../parts/commands.ts";
import { decisionBody, isConflict } from "../parts/inbox.ts";
import { InputEditor } from "../parts/input-editor.tsx";
import { isSame } from "../parts/json.ts";
import { usePage } from "../parts/page.tsx";
import { API } from "../parts/paths.ts";
import { problemsOf } from "../parts/schema-check.ts";
import { initialOf } from "../parts/schema-field.ts";
import type { ShownRequest } from "./request.tsx";

interface DecideProps {
  readonly request: ShownRequest;
  readonly done: (receipt: DecisionReceipt) => void;
  /** Called when the request is no longer what was shown. */
  readonly conflict: () => void;
}

type Way = Decided["do"];

const NAMES: Readonly<Record<Way, string>> = { approve: "Approve", edit: "Edit", deny: "Deny", answer: "Answer" };

/** The form. What needs content is not offered where it is hidden. */
export function Decide({ request, done, conflict }: DecideProps): ReactNode {
  const page = usePage();
  const ways = request.actions.filter((way) => request.hidden !== true || way === "deny");
  const [way, setWay] = useState<Way>(ways[0] ?? "deny");
  const [reason, setReason] = useState("");
  const [always, setAlways] = useState<number | undefined>(undefined);
  const [input, setInput] = useState<Json | undefined>(request.input);
  const { outputSchema } = request;
  const [output, setOutput] = useState<Json | undefined>(() =>
    outputSchema === undefined ? undefined : initialOf(outputSchema, outputSchema),
  );
  const decided = decidedOf({ way, reason, always, input, output });
  const acting = useActing(
    () => page.post<DecisionReceipt>(`${API.request(request.id)}/decision`, { ...decisionBody(decided), hash: request.hash }),
    done,
    ({ code }) => {
      if (isConflict(code)) conflict();
    },
  );
  if (!page.roles.has("decide")) return <RoleNote act="A decision" role="decide" />;
  const blocked = blockedBy(decided, request);
  return (
    <Box title="Your decision">
      <ActForm
        name={way === "edit" ? "Approve with this input" : NAMES[way]}
        role="decide"
        tone={way === "deny" ? "danger" : "main"}
        acting={acting}
        blocked={blocked}
        command={decideCommand(request.id, request.hash, decided)}
      >
        <div className="p-tabs">
          {ways.map((one) => (
            <button key={one} type="button" aria-pressed={way === one} onClick={() => setWay(one)}>
              {NAMES[one]}
            </button>
          ))}
        </div>
        {way === "edit" ? (
          <InputEditor
            label="Another input"
            schema={schemaOrNone(request.inputSchema)}
            value={input}
            onChange={setInput}
            original={request.input}
          />
        ) : null}
        {way === "answer" ? <InputEditor label="The answer" schema={outputSchema} value={output} onChange={setOutput} /> : null}
        {way === "approve" ? <Always request={request} value={always} onChange={setAlways} /> : null}
        <ReasonField
          value={reason}
          onChange={setReason}
          isNeeded={way === "deny"}
          about={way === "deny" ? "The agent that asked is told." : "For the process and the audit."}
        />
      </ActForm>
    </Box>
  );
}

/** A schema that says nothing makes no form. */
function schemaOrNone(schema: ShownRequest["inputSchema"] | undefined): ShownRequest["inputSchema"] | undefined {
  return schema === undefined || Object.keys(schema).length === 0 ? undefined : schema;
}

interface Parts {
  readonly way: Way;
  readonly reason: string;
  readonly always: number | undefined;
  readonly input: Json | undefined;
  readonly output: Json | undefined;
}

function decidedOf({ way, reason, always, input = null, output = null }: Parts): Decided {
  switch (way) {
    case "approve":
      return { do: way, reason, always };
    case "edit":
      return { do: way, reason, input };
    case "deny":
      return { do: way, reason };
    case "answer":
      return { do: way, reason, output };
  }
}

function blockedBy(decided: Decided, { input, inputSchema, outputSchema }: ShownRequest): string | undefined {
  switch (decided.do) {
    case "approve":
      return undefined;
    case "deny":
      return decided.reason === "" ? "A denial needs a reason." : undefined;
    case "edit":
      return isSame(decided.input, input) ? "Nothing is edited yet." : firstProblem(decided.input, schemaOrNone(inputSchema));
    case "answer":
      return firstProblem(decided.output, outputSchema);
  }
}

function firstProblem(value: Json, schema: ShownRequest["inputSchema"] | undefined): string | undefined {
  const [first] = schema === undefined ? [] : problemsOf(value, schema);
  return first === undefined ? undefined : `${first.path} ${first.text}.`.trim();
}

/** Standing rules that an approval can make. */
function Always({
  request: { always = [] },
  value,
  onChange,
}: {
  readonly request: ShownRequest;
  readonly value: number | undefined;
  readonly onChange: (rule: number | undefined) => void;
}): ReactNode {
  if (always.length === 0) return null;
  return (
    <fieldset className="p-group">
      <legend className="p-label">And from now on</legend>
      {[{ about: "ask again each time", when: "" }, ...always].map(({ about, when }, index) => (
        <label className="p-check" key={`${index} ${about}`}>
          <input
            type="radio"
            name="always"
            checked={(value ?? -1) === index - 1}
            onChange={() => onChange(index === 0 ? undefined : index - 1)}
          />
          <span>
            {about}
            {when === "" ? null : <code className="p-faint"> {when}</code>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
