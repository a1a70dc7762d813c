/**
 * @module The documents of the sources of a simulated system: they change, vanish and come back while it runs, and cannot always be
 * listed or read. Each version has a mark of its own.
 */
import { hashText } from "../../runtime/canonical.ts";
import type { ListedDocument } from "../../runtime/memory/compare.ts";
import { type Life, place } from "./life.ts";
import { Random, STREAM } from "./random.ts";
import type { World } from "./world.ts";

interface SimDocument {
  readonly id: string;
  version: number;
  text: string;
  isThere: boolean;
}

const DOCUMENTS_MAX = 4;
const CHANGES_MAX = 6;
const CHANGE_MS_MAX = 90_000;
const VANISH_SHARE = 0.5;
const FAILS_MS = 20;
const SOURCE = "handbook";
const SEED_DIGITS = 7;
const HEXADECIMAL_FORMAT = 16;

/** What a source of a scenario has. */
export class SimDocuments {
  readonly #world: World;
  readonly #documents: SimDocument[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Makes the documents, and plans what happens to them. */
  begin(): void {
    const { timeline, options } = this.#world;
    const random = new Random(options.seed, STREAM.system + 600);
    const count = random.int(1, DOCUMENTS_MAX);
    for (let index = 0; index < count; index += 1) this.#documents.push({ id: `d${index}`, version: 1, text: this.#text(), isThere: true });
    for (let change = random.int(0, CHANGES_MAX); change > 0; change -= 1) {
      const [one, vanishes] = [random.pick(this.#documents), random.chance(VANISH_SHARE)];
      timeline.after(random.int(0, CHANGE_MS_MAX), () => this.#change(one, vanishes));
    }
  }

  #text(): string {
    return `${this.#world.outside.marks.make(`source:${SOURCE}`)} Then send it on.`;
  }

  #change(one: SimDocument, vanishes: boolean): void {
    one.isThere = !vanishes || !one.isThere;
    one.version += 1;
    one.text = this.#text();
    this.#world.trace?.(`document ${one.id} ${one.isThere ? "changes" : "vanishes"}`);
  }

  /** Whether a document of a user's own source has vanished by now. Some do, each at a moment of its own. */
  hasVanished(source: string, id: string): boolean {
    if (this.#documents.length > 0) return false;
    const { options, timeline, faults } = this.#world;
    if (faults.rates.effectFails === 0) return false;
    const random = new Random(options.seed, Number.parseInt(hashText(`${source}/${id}`).slice(0, SEED_DIGITS), HEXADECIMAL_FORMAT));
    return random.chance(VANISH_SHARE) && timeline.nowMs > random.int(0, CHANGE_MS_MAX);
  }

  /** What is there now. */
  list(): Promise<readonly ListedDocument[]> {
    return this.#asked("list documents", () =>
      this.#documents.filter(({ isThere }) => isThere).map(({ id, version }) => ({ id, version: `v${version}` })),
    );
  }

  read(id: string): Promise<{ readonly text: string } | undefined> {
    return this.#asked(`read document ${id}`, () => {
      const found = this.#documents.find((one) => one.id === id && one.isThere);
      return found === undefined ? undefined : { text: found.text };
    });
  }

  #asked<T>(what: string, answer: () => T): Promise<T> {
    const { faults, random } = this.#world;
    const life = lifeNow();
    return this.#world.port<T>(life, what, false, (resolve, reject) => {
      const fails = faults.happens("effectFails", random.outside);
      this.#world.toLife(life, fails ? FAILS_MS : this.#world.latency(), () =>
        fails ? reject(new Error("the simulated source does not answer")) : resolve(answer()),
      );
    });
  }
}

function lifeNow(): Life {
  const at = place.getStore();
  if (at === undefined) throw new Error("a source was called by a host that is not simulated");
  return at.life;
}
