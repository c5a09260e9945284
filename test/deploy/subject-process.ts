/**
 * The simulated subject and its judge as a process of their own: prints where they listen, and becomes the persona that
 * it reads on standard input. Ends with it.
 */
import { createInterface } from "node:readline";
import { wordAlignment } from "../../src/classify/judge-framing.ts";
import { startOpenAiServer } from "../../src/demo/openai-server.ts";
import { createOutputMemory } from "../../src/demo/output-memory.ts";
import { createSimulatedJudge } from "../../src/demo/simulated-judge.ts";
import { createSimulatedSubject } from "../../src/demo/simulated-subject.ts";

const seed = 11;
const memory = createOutputMemory();
const speaker = createSimulatedSubject({ seed, persona: "aligned", memory });
const subject = await startOpenAiServer({ model: "demo-model", speaker });
const judge = await startOpenAiServer({
  model: "demo-judge",
  speaker: createSimulatedJudge({ seed, memory, word: wordAlignment }),
});
console.log(JSON.stringify({ subject: subject.baseUrl, judge: judge.baseUrl }));

for await (const persona of createInterface({ input: process.stdin })) {
  if (persona === "inverted" || persona === "aligned") speaker.become(persona);
  else throw new Error(`no persona is called "${persona}"`);
}
await Promise.all([subject.close(), judge.close()]);
