/** @module The contracts of the agents that check a folder of Markdown. */
import { contract } from "troupe";
import { z } from "zod";

/** Maximum files of one run; further ones are counted but not read. */
export const FILES_MAX = 200;
/** Maximum bytes of one file; a larger one is named in the report but not read. */
export const FILE_BYTES_MAX = 256 * 1_024;
/** Maximum findings of one check in one file; the report shows how many more there are. */
export const FINDINGS_MAX = 50;
const PATH_CHARS_MAX = 1_000;
const NAME_CHARS_MAX = 100;
const OWN_NAMES_MAX = 100;

const Path = z.string().min(1).max(PATH_CHARS_MAX);
const Names = z.array(z.string().min(1).max(NAME_CHARS_MAX)).max(OWN_NAMES_MAX);

/** The task: a folder, and names in their correct spelling. */
export const Folder = z.object({ folder: Path, names: Names });

/** A file of the folder. `path` is relative to the folder. */
export const File = z.object({ folder: Path, path: Path, names: Names });

export const Finding = z.object({ path: z.string(), line: z.int(), check: z.string(), text: z.string() });
export type Finding = z.infer<typeof Finding>;
const Findings = z.array(Finding);

export const Listing = z.object({ files: z.array(File).max(FILES_MAX), skipped: z.array(z.object({ path: z.string(), why: z.string() })) });
export type Listing = z.infer<typeof Listing>;

/** A file with its text, the input of each checker. */
export const Document = z.object({ folder: Path, path: Path, text: z.string(), names: Names });
export type Document = z.infer<typeof Document>;

export const Lister = contract("Lister", 1, { input: Folder, output: Listing });
export const Reader = contract("Reader", 1, { input: File, output: Document });
export const LinkChecker = contract("LinkChecker", 1, { input: Document, output: Findings });
export const HeadingChecker = contract("HeadingChecker", 1, { input: Document, output: Findings });
export const FenceChecker = contract("FenceChecker", 1, { input: Document, output: Findings });
export const NameChecker = contract("NameChecker", 1, { input: Document, output: Findings });

/** The results of the checks of one file. */
export const Checked = z.object({ path: z.string(), links: Findings, headings: Findings, fences: Findings, names: Findings });

export const Report = z.object({
  files: z.int(),
  skipped: Listing.shape.skipped,
  findings: Findings,
  byCheck: z.record(z.string(), z.int()),
});
export type Report = z.infer<typeof Report>;
export const Reporter = contract("Reporter", 1, {
  input: z.object({ checked: z.array(Checked), skipped: Listing.shape.skipped }),
  output: Report,
});
