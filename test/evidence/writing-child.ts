/**
 * Appends rows until it is killed, ten at a time with a pause of some milliseconds, and says for each on standard
 * output which position it got and when. Usage: node writing-child.ts PATH SEED
 */
import { writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { seededRandom } from "../../src/kernel/random.ts";
import { openStore, rowOf } from "./evidence-files.ts";

const [, , path = "", seed] = process.argv;
const random = seededRandom(Number(seed));
const store = openStore(path);

for (;;) {
  for (let burst = 0; burst < 10; burst += 1) {
    const { position } = store.append(rowOf(`${seed}${burst}`));
    writeSync(1, `${position} ${performance.now()}\n`);
  }
  await pause(2 + Math.floor(random() * 5));
}
