/** @module Which versions of Dapr Troupe runs on. Pure. */
import { Fault } from "./faults.ts";

/** Minor versions of Dapr 1 that the promises were tried on. Hazards change between minor versions. */
const MINOR_FIRST = 18;
const MINOR_LAST = 19;

const DAPR_VERSION_CHECKS = ["newer", "strict", "any"] as const;

/** How strict the check of Dapr's version is: `newer` takes a newer 1.x with a warning, `strict` tested versions only, `any` all. */
export type DaprVersionCheck = (typeof DAPR_VERSION_CHECKS)[number];

/** The environment variable that sets the check. */
export const DAPR_VERSION_CHECK_VARIABLE = "TROUPE_DAPR_VERSION";

/** What the check says of a version. `why` is part of a sentence that begins with the version. */
export type DaprVersionVerdict =
  { readonly kind: "supported" } | { readonly kind: "untested"; readonly why: string } | { readonly kind: "refused"; readonly why: string };

/** The supported versions, for messages. */
export const SUPPORTED_DAPR = `1.${MINOR_FIRST} and 1.${MINOR_LAST}`;

/** Judges a version as a Dapr program prints it, such as `1.18.2`, `1.19.0-rc.1` or `edge`. */
export function judgeDapr(version: string, check: DaprVersionCheck = "newer"): DaprVersionVerdict {
  const minor = minorOf(version);
  if (minor !== undefined && minor >= MINOR_FIRST && minor <= MINOR_LAST) return { kind: "supported" };
  if (check === "any") return { kind: "untested", why: `it is not tested (${SUPPORTED_DAPR} are), and the check is off` };
  if (minor === undefined)
    return { kind: "refused", why: `it cannot be read as a version 1.x; tested are ${SUPPORTED_DAPR}. ${override("any")} takes it` };
  if (minor < MINOR_FIRST)
    return { kind: "refused", why: `it is older than 1.${MINOR_FIRST}; tested are ${SUPPORTED_DAPR}. ${override("any")} takes it` };
  if (check === "strict") return { kind: "refused", why: `only ${SUPPORTED_DAPR} are tested, and ${override("strict")} is set` };
  return { kind: "untested", why: `it is newer than the tested ${SUPPORTED_DAPR}. ${override("strict")} refuses it` };
}

/**
 * Reads the value of {@link DAPR_VERSION_CHECK_VARIABLE}; absent or empty means `newer`.
 * @throws `dapr.version` for any other word
 */
export function daprVersionCheck(text: string | undefined): DaprVersionCheck {
  if (text === undefined || text === "") return "newer";
  const found = DAPR_VERSION_CHECKS.find((check) => check === text);
  if (found === undefined)
    throw new Fault(
      "dapr.version",
      `${DAPR_VERSION_CHECK_VARIABLE} is ${JSON.stringify(text)}; it can be ${DAPR_VERSION_CHECKS.join(", ")}`,
    );
  return found;
}

/** The minor version of a Dapr 1; undefined for anything else. */
function minorOf(version: string): number | undefined {
  const found = /^1\.(\d{1,4})\.\d{1,6}(?:-[0-9A-Za-z.-]{1,64})?$/.exec(version)?.[1];
  return found === undefined ? undefined : Number(found);
}

function override(check: DaprVersionCheck): string {
  return `${DAPR_VERSION_CHECK_VARIABLE}=${check}`;
}
