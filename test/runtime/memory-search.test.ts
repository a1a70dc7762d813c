/** @module The search for facts by key, time and text. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { FactSearch, wordsOf } from "../../runtime/memory/search.ts";

const filled = (): FactSearch => {
  const search = new FactSearch();
  search.put({ id: "1", key: "address", atMs: 10, text: "lives in the harbour street" });
  search.put({ id: "2", key: "diet", atMs: 20, text: "eats no nuts" });
  search.put({ id: "3", atMs: 30, text: "asked about the harbour tour" });
  return search;
};

describe("the search for facts", () => {
  test("finds by words, best first, also with a typing error or the beginning of a word", () => {
    expect([...filled().find({ text: "harbour" })].sort()).toEqual(["1", "3"]);
    expect(filled().find({ text: "harbor street" })[0]).toBe("1");
    expect(filled().find({ text: "harb" }).length).toBe(2);
    expect(filled().find({ text: "mountain" })).toEqual([]);
  });

  test("finds by key and by time, the newest first", () => {
    expect(filled().find({})).toEqual(["3", "2", "1"]);
    expect(filled().find({ key: "diet" })).toEqual(["2"]);
    expect(filled().find({ sinceMs: 20 })).toEqual(["3", "2"]);
    expect(filled().find({ sinceMs: 20, text: "harbour" })).toEqual(["3"]);
    expect(filled().find({ limit: 1 })).toEqual(["3"]);
  });

  test("leaves out what the caller does not accept, before it counts", () => {
    expect(filled().find({ limit: 2 }, (id) => id !== "3")).toEqual(["2", "1"]);
  });

  test("a fact that is put again is found by its new words only", () => {
    const search = filled();
    search.put({ id: "2", key: "diet", atMs: 40, text: "eats everything" });
    expect(search.size).toBe(3);
    expect(search.find({ text: "nuts" })).toEqual([]);
    expect(search.find({ text: "everything" })).toEqual(["2"]);
  });

  test("a removed fact leaves it at once, with all its words", () => {
    const search = new FactSearch();
    search.put({ id: "1", atMs: 1, text: "harbour" });
    const before = { words: search.words, chars: search.chars };
    search.put({ id: "2", key: "secret", atMs: 2, text: "zanzibar quetzal" });
    search.remove("2");
    search.remove("unknown");
    expect({ words: search.words, chars: search.chars }).toEqual(before);
    expect(search.find({ text: "zanzibar" })).toEqual([]);
    expect(search.find({ key: "secret" })).toEqual([]);
  });

  test("is the same after it was built again from the facts, whatever was put and removed before", () => {
    const word = fc.constantFrom("harbour", "street", "nuts", "tour", "eats", "asked");
    const act = fc.record({ id: fc.nat(7), remove: fc.boolean(), atMs: fc.nat(50), words: fc.array(word, { maxLength: 6 }) });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), word, (acts, asked) => {
        const search = new FactSearch();
        const facts = new Map<string, { readonly id: string; readonly atMs: number; readonly text: string }>();
        for (const { id: number, remove, atMs, words } of acts) {
          const id = String(number);
          if (remove) {
            search.remove(id);
            facts.delete(id);
          } else {
            const fact = { id, atMs, text: words.join(" ") };
            search.put(fact);
            facts.set(id, fact);
          }
        }
        const again = new FactSearch();
        for (const fact of facts.values()) again.put(fact);
        expect([...search.find({ text: asked, limit: 99 })].sort()).toEqual([...again.find({ text: asked, limit: 99 })].sort());
        expect(search.find({ limit: 99 })).toEqual(again.find({ limit: 99 }));
        expect([search.size, search.words, search.chars]).toEqual([again.size, again.words, again.chars]);
      }),
    );
  });

  test("holds no more of a fact than its limit", () => {
    const search = new FactSearch();
    search.put({ id: "1", atMs: 1, text: `${"a ".repeat(LIMITS.searchCharsMax)}zanzibar` });
    expect(search.chars).toBe(LIMITS.searchCharsMax);
    expect(search.find({ text: "zanzibar" })).toEqual([]);
  });
});

describe("the words of a content", () => {
  test("are its keys, texts and numbers in their order", () => {
    expect(wordsOf({ name: "Ann", trips: [{ to: "Bergen", days: 3 }, null, true] })).toBe("name Ann trips to Bergen days 3");
    expect(wordsOf("Ann")).toBe("Ann");
    expect(wordsOf(null)).toBe("");
  });

  test("are cut at their limit, also for a content that is nested deeply", () => {
    expect(wordsOf(Array.from({ length: 10_000 }, () => "harbour")).length).toBeLessThanOrEqual(LIMITS.searchCharsMax);
    expect(wordsOf(JSON.parse(`${"[".repeat(5_000)}"deep"${"]".repeat(5_000)}`) as string)).toBe("deep");
  });
});
