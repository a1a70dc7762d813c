/** @module Which version a work item used, as spans and metrics say it. */
import type { Attributes } from "@opentelemetry/api";
import type { WorkRelease } from "../../runtime/release.ts";
import { ATTRIBUTE } from "./names.ts";

/** The part of the release and the version of the prompt. */
export function promptAttributes(release: WorkRelease | undefined): Attributes {
  if (release === undefined) return {};
  const { prompt, part } = release;
  return { [ATTRIBUTE.release]: part, ...(prompt === undefined ? {} : { [ATTRIBUTE.promptVersion]: prompt }) };
}

/** The same and the model, where no call names one. */
export function versionAttributes(release: WorkRelease | undefined): Attributes {
  return release === undefined ? {} : { ...promptAttributes(release), [ATTRIBUTE.requestModel]: release.model };
}
