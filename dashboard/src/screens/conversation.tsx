/**
 * @module The conversation of one model agent's work item: for each request what is new in it, where it comes from and whether it is
 * trusted, what the whole context consists of, the reply, and what it has cost.
 */
import { type ReactNode, useState } from "react";
import type { ConversationView, ExchangeView, MessageView } from "../../../runtime/conversation-view.ts";
import { Answer, Box, Empty, Facts, Figure, Head, HiddenNote, Mark, Note, TrustMark } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { CommandLine } from "../parts/blocks.tsx";
import { ContextBar } from "../parts/context-bar.tsx";
import { usageOf } from "../parts/context-make-up.ts";
import { bytesText, countText, pluralText, usdText } from "../parts/format.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";

/** The screen. */
export function ConversationScreen({ params }: ScreenProps): ReactNode {
  const [id, work] = [params["id"] ?? "", params["work"] ?? ""];
  const canRead = usePage().roles.has("content");
  const conversation = useLoad<ConversationView>(canRead ? API.conversation(id, work) : undefined);
  return (
    <>
      <Head
        from={<Link to={TO.run(id)}>{id}</Link>}
        title="Conversation"
        about={
          <>
            What the model was sent and replied, in work item {work}. Requests are not stored: the code of this host makes them again from
            the records.
          </>
        }
      />
      {canRead ? <Answer of={conversation}>{(data) => <Conversation data={data} />}</Answer> : <HiddenNote what="A conversation" />}
    </>
  );
}

function Conversation({ data }: { readonly data: ConversationView }): ReactNode {
  const { exchanges, agent, divergence, process } = data;
  const usage = usageOf(data);
  return (
    <>
      <div className="p-figures">
        <Figure name="Agent">{agent}</Figure>
        <Figure name="Model calls">{countText(exchanges.length)}</Figure>
        <Figure name="Tokens in">{countText(usage.inputTokens)}</Figure>
        <Figure name="Tokens out">{countText(usage.outputTokens)}</Figure>
        <Figure name="Cost">{usdText(usage.usd)}</Figure>
      </div>
      {divergence === undefined ? null : (
        <Note tone="warn">
          The code of this host is not that of the record from here on: {divergence}. Requests after it are not shown.{" "}
          <Link to={TO.replay(process)}>Replay the run</Link>
        </Note>
      )}
      {exchanges.length === 0 ? (
        <Empty title="No model calls">The handler of this work item asked no model, or its records are gone.</Empty>
      ) : null}
      {exchanges.map((exchange, index) => (
        <Exchange key={exchange.call} {...{ exchange, index, process, work: data.work }} />
      ))}
    </>
  );
}

interface ExchangeProps {
  readonly exchange: ExchangeView;
  readonly index: number;
  readonly process: string;
  readonly work: string;
}

function Exchange({ exchange, index, process, work }: ExchangeProps): ReactNode {
  const [isWhole, setWhole] = useState(false);
  const { messages, context, rung, code, call } = exchange;
  const fresh = messages.filter((message) => message.new);
  const shown = isWhole ? messages : fresh;
  const before = messages.length - fresh.length;
  return (
    <Box
      title={`Request ${index + 1}`}
      side={
        <span className="p-row">
          {rung === undefined ? null : <Mark tone="warn">repair: {rung}</Mark>}
          {code === undefined ? null : <Mark tone="bad">{code}</Mark>}
          <Link className="p-button-small" to={TO.fork(process, `${work}/${call}`)}>
            Fork here
          </Link>
        </span>
      }
    >
      <ExchangeFacts exchange={exchange} />
      <ContextBar parts={context} />
      {before === 0 ? null : (
        <button type="button" className="p-button-small" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Only what is new" : `Also the ${pluralText(before, "message")} from before`}
        </button>
      )}
      <ol className="p-messages">
        {shown.map((message, at) => (
          <Message key={`${at} ${message.role}`} message={message} isNew={message.new && index > 0} />
        ))}
        <Reply exchange={exchange} />
      </ol>
      <CommandLine text={command(["fork", process], { at: `${work}/${call}` })} />
    </Box>
  );
}

function ExchangeFacts({ exchange }: { readonly exchange: ExchangeView }): ReactNode {
  const { model, endpoint, answered, prompt, inputTokens, outputTokens, usd } = exchange;
  return (
    <Facts
      of={[
        ["Model", answered === undefined || answered === model ? model : `${model} (${answered})`],
        ["Endpoint", endpoint],
        ["Prompt", prompt],
        ["Tokens", inputTokens === undefined ? undefined : `${countText(inputTokens)} in, ${countText(outputTokens ?? 0)} out`],
        ["Cost", usd === undefined ? undefined : usdText(usd)],
      ]}
    />
  );
}

interface MessageProps {
  readonly message: MessageView;
  readonly isNew: boolean;
}

function Message({ message, isNew }: MessageProps): ReactNode {
  const { role, text, calls = [], source, label, bytes } = message;
  return (
    <li className={`p-message p-from-${role}${label.length === 0 ? "" : " p-untrusted"}`}>
      <div className="p-message-head">
        <strong>{role}</strong>
        <span className="p-faint">from {source}</span>
        <TrustMark label={label} />
        {isNew ? <Mark tone="info">new</Mark> : null}
        <span className="p-faint p-push">{bytesText(bytes)}</span>
      </div>
      <Text text={text} />
      <Calls calls={calls} />
    </li>
  );
}

/** Long texts are folded. */
const FOLD_CHARS = 2_000;

function Text({ text }: { readonly text: string }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  if (text === "") return null;
  const isCut = text.length > FOLD_CHARS && !isOpen;
  return (
    <>
      <div className="p-text">{isCut ? `${text.slice(0, FOLD_CHARS)}…` : text}</div>
      {text.length > FOLD_CHARS ? (
        <button type="button" className="p-button-small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Less" : `All ${countText(text.length)} characters`}
        </button>
      ) : null}
    </>
  );
}

function Calls({ calls }: { readonly calls: NonNullable<MessageView["calls"]> }): ReactNode {
  return calls.map(({ id, name, arguments: given }) => (
    <div className="p-call" key={id}>
      <Mark tone="info">call</Mark> <strong>{name}</strong>
      <pre className="p-json">{pretty(given)}</pre>
    </div>
  ));
}

/** Arguments as the model wrote them; indented if they are JSON. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Reply({ exchange: { reply, code } }: { readonly exchange: ExchangeView }): ReactNode {
  if (reply === undefined)
    return (
      <li className="p-message p-reply">
        <div className="p-message-head">
          <strong>reply</strong>
        </div>
        <p className="p-faint">There is none{code === undefined ? " yet" : `: the call ended with ${code}`}.</p>
      </li>
    );
  return (
    <li className="p-message p-reply">
      <div className="p-message-head">
        <strong>reply</strong>
        <Mark tone={reply.finish === "stop" || reply.finish === "tool_calls" ? "good" : "warn"}>{reply.finish}</Mark>
      </div>

      {reply.refusal === undefined ? null : <Note tone="warn">Refused: {reply.refusal}</Note>}
      {reply.reasoning === undefined || reply.reasoning === "" ? null : (
        <details className="p-more">
          <summary>Reasoning</summary>
          <div className="p-text">{reply.reasoning}</div>
        </details>
      )}
      <Text text={reply.text} />
      <Calls calls={reply.calls} />
    </li>
  );
}
