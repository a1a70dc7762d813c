/** @module The index over the words of facts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { FactIndex, wordsOf } from "../../runtime/memory/fact-index.ts";

const filled = (): FactIndex => {
  const index = new FactIndex();
  index.put({ id: "1", version: 1, key: "address", atMs: 10, text: "lives in the harbour street" });
  index.put({ id: "2", version: 1, key: "diet", atMs: 20, text: "eats no nuts" });
  index.put({ id: "3", version: 1, atMs: 30, text: "asked about the harbour tour" });
  return index;
};

describe("the index over facts", () => {
  test("finds by words, best first, also with a typing error or the beginning of a word", () => {
    expect(filled().find("harbour").toSorted()).toEqual(["1", "3"]);
    expect(filled().find("harbor street")[0]).toBe("1");
    expect(filled().find("harb").length).toBe(2);
    expect(filled().find("address")).toEqual(["1"]);
    expect(filled().find("mountain")).toEqual([]);
    expect(filled().find(" ?! ")).toEqual([]);
  });

  test("of equally good facts the newest comes first", () => {
    const index = new FactIndex();
    for (const [id, atMs] of [
      ["a", 1],
      ["b", 3],
      ["c", 2],
    ] as const)
      index.put({ id, version: 1, atMs, text: "same words" });
    expect(index.find("words")).toEqual(["b", "c", "a"]);
  });

  test("a further version is found by its own words only", () => {
    const index = filled();
    index.put({ id: "2", version: 2, key: "diet", atMs: 40, text: "eats everything" });
    expect(index.size).toBe(3);
    expect([index.has({ id: "2", version: 1 }), index.has({ id: "2", version: 2 })]).toEqual([false, true]);
    expect(index.find("nuts")).toEqual([]);
    expect(index.find("everything")).toEqual(["2"]);
  });

  test("a removed fact leaves it at once, with all its words", () => {
    const index = new FactIndex();
    index.put({ id: "1", version: 1, atMs: 1, text: "harbour" });
    const before = { words: index.words, chars: index.chars };
    index.put({ id: "2", version: 1, key: "secret", atMs: 2, text: "zanzibar quetzal" });
    index.remove("2");
    index.remove("unknown");
    expect({ words: index.words, chars: index.chars }).toEqual(before);
    expect(index.find("zanzibar")).toEqual([]);
    expect(index.find("secret")).toEqual([]);
    expect(index.ids()).toEqual(["1"]);
  });

  test("is the same after it was built again from the facts, after any puts and removals", () => {
    const word = fc.constantFrom("harbour", "street", "nuts", "tour", "eats", "asked");
    const act = fc.record({ id: fc.nat(7), remove: fc.boolean(), atMs: fc.nat(50), words: fc.array(word, { maxLength: 6 }) });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), word, (acts, asked) => {
        const index = new FactIndex();
        const facts = new Map<string, { readonly id: string; readonly version: number; readonly atMs: number; readonly text: string }>();
        for (const [version, { id: number, remove, atMs, words }] of acts.entries()) {
          const id = String(number);
          if (remove) {
            index.remove(id);
            facts.delete(id);
          } else {
            const fact = { id, version: version + 1, atMs, text: words.join(" ") };
            index.put(fact);
            facts.set(id, fact);
          }
        }
        const again = new FactIndex();
        for (const fact of facts.values()) again.put(fact);
        expect(index.find(asked).toSorted()).toEqual(again.find(asked).toSorted());
        expect([index.size, index.words, index.chars]).toEqual([again.size, again.words, again.chars]);
      }),
    );
  });

  test("holds no more of a fact than its limit", () => {
    const index = new FactIndex();
    index.put({ id: "1", version: 1, atMs: 1, text: `${"a ".repeat(LIMITS.searchedCharsMax)}zanzibar` });
    expect(index.chars).toBe(LIMITS.searchedCharsMax);
    expect(index.find("zanzibar")).toEqual([]);
  });
});

describe("the words of a content", () => {
  test("are its keys, texts and numbers in their order", () => {
    expect(wordsOf({ name: "Ann", trips: [{ to: "Bergen", days: 3 }, null, true] })).toBe("name Ann trips to Bergen days 3");
    expect(wordsOf("Ann")).toBe("Ann");
    expect(wordsOf(null)).toBe("");
  });

  test("are cut at their limit, also for a content that is nested deeply", () => {
    expect(wordsOf(Array.from({ length: 10_000 }, () => "harbour")).length).toBeLessThanOrEqual(LIMITS.searchedCharsMax);
    expect(wordsOf(JSON.parse(`${"[".repeat(5_000)}"deep"${"]".repeat(5_000)}`) as string)).toBe("deep");
  });
});
