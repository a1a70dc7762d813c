/** @module No committed file contains a path of one machine, a registry's host or a secret. */
import type { Check } from "./project.ts";

interface Place {
  readonly pattern: RegExp;
  readonly what: string;
}

/** The path of a URL is not a folder of a machine, so no other character may precede the first slash. */
const PLACES: readonly Place[] = [
  { pattern: /(?<![\w.~:/$}-])\/(work|farm|root|home|Users)\/[A-Za-z]/, what: "a folder of one machine" },
  { pattern: /(?<![\w.~:/$}-])\/tmp\/[A-Za-z]/, what: "a fixed temporary folder: make one with mkdtemp" },
  {
    pattern: /\bregistry\.(npmjs|yarnpkg|npmmirror)\b|\bproxy\.golang\.|\bsum\.golang\.|\b(deb|security|ftp)\.debian\.|\barchive\.ubuntu\./,
    what: "the host of a registry",
  },
  { pattern: /"resolved": "https?:/, what: "the host of a registry: install with the project's .npmrc" },
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY|\bsk-[A-Za-z0-9]{20}|\bghp_[A-Za-z0-9]{20}/, what: "a secret" },
];

/** No machine, no registry, no secret. */
export const noPlaces: Check = (project) =>
  [...project.texts].flatMap(([path, text]) =>
    text.split("\n").flatMap((line, index) =>
      PLACES.filter(({ pattern }) => pattern.test(line)).map(({ what, pattern }) => ({
        path,
        line: index + 1,
        text: `${what}: ${pattern.exec(line)?.[0] ?? ""}`,
      })),
    ),
  );
