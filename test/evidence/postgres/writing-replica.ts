/**
 * Appends rows to a shared log until it is killed, ten at a time with a pause of some milliseconds, and says for each on
 * standard output its item number and when. Usage: node writing-replica.ts URL SPOOL FIRST-ITEM
 */
import { writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { openSharedStore } from "../../../src/evidence/postgres/shared-store.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { rowOf } from "../evidence-files.ts";

const [, , url = "", path = "", first] = process.argv;
const store = await openSharedStore({
  ...{ url, name: "candor", path, replica: "child", clock: systemClock, random: Math.random },
  ...{ log: { info: () => {}, warn: () => {} }, maxPendingRows: 100_000, maxSpooledRows: 100_000 },
  ...{ patience: { connect: 300, answer: 300 }, pace: { ask: 100, answer: 200 } },
});

for (let item = Number(first); ; item += 1) {
  store.append(rowOf(item));
  writeSync(1, `${item} ${performance.now()}\n`);
  if (item % 10 === 0) await pause(3);
}
