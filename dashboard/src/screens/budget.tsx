/** @module The budget of one process: what it may spend, what is spent and reserved, and what each agent and model has cost. */
import type { ReactNode } from "react";
import type { AmountsView, BudgetView, ProcessView, SpendingView } from "../../../runtime/process-view.ts";
import { Answer, Box, Empty, Head, Mark, Scrolled } from "../parts/blocks.tsx";
import { countText, usdText } from "../parts/format.ts";
import { Link, useLoad } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";

/** The screen. */
export function BudgetScreen({ params }: ScreenProps): ReactNode {
  const id = params["id"] ?? "";
  const process = useLoad<ProcessView>(API.process(id));
  return (
    <>
      <Head
        from={<Link to={TO.run(id)}>{id}</Link>}
        title="Budget"
        about="What this run may spend, has spent and has granted to open work items. Each run of a process has a whole budget again."
      />
      <Answer of={process}>
        {({ budget, phase }) =>
          budget === undefined ? (
            <Empty title="No budget">This process has no budget and has spent nothing.</Empty>
          ) : (
            <>
              <Amounts budget={budget} isOpen={phase === "open"} />
              <Spending title="Spent in this run" spending={budget.spent} />
              {budget.before === undefined ? null : <Spending title="Spent in earlier runs" spending={budget.before} />}
            </>
          )
        }
      </Answer>
    </>
  );
}

const AMOUNTS: readonly (readonly [keyof AmountsView, string, (amount: number) => string])[] = [
  ["usd", "US dollars", usdText],
  ["tokens", "Tokens", countText],
  ["modelCalls", "Model calls", countText],
  ["toolCalls", "Tool calls", countText],
];

function Amounts({ budget, isOpen }: { readonly budget: BudgetView; readonly isOpen: boolean }): ReactNode {
  const { limit = {}, reserved = {}, left = {}, spent } = budget;
  const rows = AMOUNTS.filter(([key]) => limit[key] !== undefined || spent.total[key] !== undefined || reserved[key] !== undefined);
  return (
    <Box title="Budget" side={<Mark tone={isOpen ? "info" : "plain"}>{isOpen ? "open" : "ended"}</Mark>}>
      <Scrolled label="Budget">
        <table className="p-table">
          <thead>
            <tr>
              <th>What</th>
              <th className="p-num">Settled</th>
              <th className="p-num">Reserved</th>
              <th className="p-num">Left</th>
              <th className="p-num">Limit</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([key, name, text]) => {
              const cell = (amount: number | undefined, none: string): string => (amount === undefined ? none : text(amount));
              const max = limit[key];
              return (
                <tr key={key}>
                  <td className="p-cell-bar">
                    {name}
                    {max === undefined ? null : (
                      <meter
                        min={0}
                        max={max}
                        high={max * 0.8}
                        value={(spent.total[key] ?? 0) + (reserved[key] ?? 0)}
                        aria-label={`${name} settled and reserved`}
                      />
                    )}
                  </td>
                  <td className="p-num">{cell(spent.total[key], text(0))}</td>
                  <td className="p-num">{cell(reserved[key], text(0))}</td>
                  <td className="p-num">{cell(left[key], "")}</td>
                  <td className="p-num">{cell(max, "none")}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scrolled>
    </Box>
  );
}

function Spending({ title, spending }: { readonly title: string; readonly spending: SpendingView }): ReactNode {
  const rows = spending.by.flatMap(({ agent, toolCalls, models }) =>
    models.length === 0
      ? [{ agent, toolCalls, model: "", modelCalls: 0, inputTokens: 0, outputTokens: 0, usd: 0 }]
      : models.map((model, index) => ({ agent, toolCalls: index === 0 ? toolCalls : 0, ...model })),
  );
  return (
    <Box title={title}>
      <Scrolled label={title}>
        <table className="p-table">
          <thead>
            <tr>
              <th>Agent</th>
              <th>Model</th>
              <th className="p-num">Model calls</th>
              <th className="p-num">Tool calls</th>
              <th className="p-num">Tokens in</th>
              <th className="p-num">Tokens out</th>
              <th className="p-num">Spent</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.agent} ${row.model}`}>
                <td>{row.agent}</td>
                <td>{row.model}</td>
                <td className="p-num">{countText(row.modelCalls)}</td>
                <td className="p-num">{countText(row.toolCalls)}</td>
                <td className="p-num">{countText(row.inputTokens)}</td>
                <td className="p-num">{countText(row.outputTokens)}</td>
                <td className="p-num">{usdText(row.usd)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
    </Box>
  );
}
