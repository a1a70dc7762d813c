/** @module Every check by its name. */
import { directions, entriesWithoutDapr, noRings } from "./directions.ts";
import { exportDocs, limitDocs, moduleDocs } from "./docs.ts";
import { plainEnglish } from "./english.ts";
import { noAny, noBang, noConsole, noDeadCode, noLeftOut, noMarks } from "./escapes.ts";
import { liveTests } from "./layers.ts";
import { noPlaces } from "./places.ts";
import type { Check } from "./project.ts";
import { purity } from "./purity.ts";
import { ownEntries } from "./records.ts";
import { fileSizes, functionSizes, lineSizes } from "./sizes.ts";
import { namedPauses, unitsInNames } from "./units.ts";
import { deadExports, deadFaults, deadFiles, deadLimits, dependencies } from "./used.ts";

/** The checks, each over the whole project. */
export const CHECKS = {
  directions,
  entriesWithoutDapr,
  noRings,
  purity,
  ownEntries,
  noAny,
  noBang,
  noLeftOut,
  noConsole,
  noMarks,
  noDeadCode,
  fileSizes,
  functionSizes,
  lineSizes,
  moduleDocs,
  exportDocs,
  limitDocs,
  unitsInNames,
  namedPauses,
  deadFiles,
  deadExports,
  deadLimits,
  deadFaults,
  dependencies,
  noPlaces,
  liveTests,
  plainEnglish,
} as const satisfies Readonly<Record<string, Check>>;

/** The name of a check. */
export type CheckName = keyof typeof CHECKS;
