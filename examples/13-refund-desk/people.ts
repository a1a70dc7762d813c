/** @module The people of the refund desk in the example: a clerk who has gone home, and a manager. */
import type { People } from "troupe/testing";

/** Decides on a request: called when it is made, and again at each reminder and escalation. Without a decision it stays open. */
export const people: People = ({ id, input, roles, reminded, escalated }) => {
  const { order, amount } = input as { readonly order: string; readonly amount: number };
  const asked = escalated > 0 ? "escalated" : reminded > 0 ? "reminded" : "asked";
  console.log(`${id}: ${asked}, ${roles.join(" or ")} may approve ${amount} for order ${order}`);
  if (order === "4713") return { do: "deny", by: "carl", roles: ["clerk"], reason: "it was used for a year" };
  if (escalated === 0) return undefined;
  return { do: "edit", input: { order, amount: 900 }, by: "mia", roles: ["manager"], reason: "one of two came torn" };
};
