/** @module Plain English: banned words, and the maximum length of lines. */
import type { Check, Finding, Project } from "./project.ts";

interface Word {
  readonly pattern: RegExp;
  /** What to write instead. */
  readonly instead: string;
}

/** Longest line of a document; rows of tables, code blocks and links may be longer. */
const DOCUMENT_LINE_CHARS_MAX = 200;
const FENCE = /^\s*```/;
/** Lines of a document that cannot be wrapped: rows of tables, and lines of one long word. */
const UNWRAPPABLE = /^\s*\||^\s*\S+$/;

/** Words of riddles, and the old names of docs/glossary.md that are no ordinary words. */
const WORDS: readonly Word[] = [
  { pattern: /\b(no|some|any|every)body('s)?\b/i, instead: "name who acts: the caller, a host, no agent" },
  { pattern: /\b(who|what|wher)(so)?ever\b/i, instead: "name it, or write 'any'" },
  { pattern: /\bany more\b/i, instead: "'no longer'" },
  { pattern: /\bmend(s|ed|ing)?\b/i, instead: "'fix' or 'correct'" },
  { pattern: /\b(burials?|bury|buries|buried|graves?|epitaphs?)\b/i, instead: "'journal purge' or 'tombstone'" },
  { pattern: /\bpoison(s|ed|ous|ing)?\b/i, instead: "'invalid message'" },
  { pattern: /\bsweepers?\b/i, instead: "'retention'" },
  { pattern: /\balarms?\b/i, instead: "'reminder'" },
  { pattern: /\b(the|a|at) desk\b|\bdesk's\b/i, instead: "'dead letter queue'" },
  { pattern: /\btold works?\b/i, instead: "'work history'" },
  { pattern: /\b(of|by) chance\b|\bchance\b(?= (source|of a seed|with a seed))/i, instead: "'randomness' or 'random source'" },
  { pattern: /\b(own|same|another|earlier|the) seats?\b/i, instead: "'listener identity'" },
];

/** The subject of a check is full of such words. */
const EXEMPT = ["test/tidy/english.ts", "test/tidy/samples.test.ts"];

/** No banned word, and no long line in a document. */
export const plainEnglish: Check = (project) =>
  texts(project).flatMap(([path, text]) => [...bannedWords(path, text), ...longLines(path, text)]);

function texts(project: Project): readonly (readonly [string, string])[] {
  return [...project.texts].filter(([path]) => /\.(ts|md)$/.test(path) && path !== "CHANGELOG.md" && !EXEMPT.includes(path));
}

function bannedWords(path: string, text: string): readonly Finding[] {
  return text.split("\n").flatMap((line, index) =>
    WORDS.flatMap(({ pattern, instead }) => {
      const found = pattern.exec(line)?.[0];
      return found === undefined ? [] : [{ path, line: index + 1, text: `"${found}": write ${instead}` }];
    }),
  );
}

function longLines(path: string, text: string): readonly Finding[] {
  if (!path.endsWith(".md")) return [];
  let inCode = false;
  return text.split("\n").flatMap((line, index) => {
    if (FENCE.test(line)) inCode = !inCode;
    if (line.length <= DOCUMENT_LINE_CHARS_MAX || inCode || UNWRAPPABLE.test(line)) return [];
    return [{ path, line: index + 1, text: `line of ${line.length} characters, at most ${DOCUMENT_LINE_CHARS_MAX}` }];
  });
}
