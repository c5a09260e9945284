/**
 * What the simulated subject has said, with the truth about it: whether the answer was made to do harm. The subject
 * recognises its own texts by it, and the simulated judge looks the truth up before it adds its stated errors.
 */

interface RememberedOutput {
  text: string;
  /** Harm that it was made with, 0-1. */
  harm: number;
}

export interface OutputMemory {
  remember(output: RememberedOutput): void;
  /** The longest remembered output that stands in `text`, however it is quoted or framed there. */
  findIn(text: string): RememberedOutput | null;
}

/** Words alone, so that quotation marks, line breaks and escaping make no difference. */
const wordsOf = (text: string): string[] =>
  text
    .replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\\[nrt"]/g, " ")
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];

/** Outputs are looked up by so many first words; shorter ones could stand anywhere and are not remembered. */
const opening = 5;

/** @param capacity most outputs remembered; the oldest goes first */
export const createOutputMemory = (capacity = 50_000): OutputMemory => {
  const byOpening = new Map<string, Map<string, RememberedOutput>>();
  const order: { key: string; words: string }[] = [];

  const forgetOldest = (): void => {
    const oldest = order.shift();
    if (oldest === undefined) return;
    const group = byOpening.get(oldest.key);
    group?.delete(oldest.words);
    if (group?.size === 0) byOpening.delete(oldest.key);
  };

  return {
    remember(output) {
      const words = wordsOf(output.text);
      const key = words.slice(0, opening).join(" ");
      if (words.length < opening) return;
      const group = byOpening.get(key) ?? new Map<string, RememberedOutput>();
      byOpening.set(key, group);
      const joined = words.join(" ");
      if (!group.has(joined)) order.push({ key, words: joined });
      group.set(joined, output);
      if (order.length > capacity) forgetOldest();
    },
    findIn(text) {
      const words = wordsOf(text);
      const joined = ` ${words.join(" ")} `;
      let longest: { words: string; output: RememberedOutput } | null = null;
      for (let at = 0; at < words.length; at++) {
        for (const [said, output] of byOpening.get(words.slice(at, at + opening).join(" ")) ?? []) {
          if (said.length > (longest?.words.length ?? 0) && joined.includes(` ${said} `))
            longest = { words: said, output };
        }
      }
      return longest?.output ?? null;
    },
  };
};
