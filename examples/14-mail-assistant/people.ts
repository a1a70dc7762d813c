/** @module The owner of the mailbox in the example: sends what goes to a customer, and looks at what else would. */
import type { People } from "troupe/testing";

/** Decides on a request. It shows the very arguments of the call, and what they were derived from. */
export const people: People = ({ id, tool, input, reason, label = [] }) => {
  const { to } = input as { readonly to: string };
  console.log(`  ${id}: ${tool ?? ""} to ${to}? ${reason.split(" ").slice(0, 4).join(" ")} ...; derived from ${label.join(", ")}`);
  const own = { by: "olga", roles: ["owner"] };
  return to.endsWith("@customer.example") ? { do: "approve", ...own } : { do: "deny", ...own, reason: "I do not know this address" };
};
