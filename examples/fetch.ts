/** An app that calls a model with the openai package, and Candor in the same process. */
import OpenAI from "openai";
import { openCandor } from "../src/library.ts";

const candor = await openCandor({ config: process.env.CANDOR_CONFIG ?? "candor.yaml" });

// The base URL stays that of the model: it is an upstream in candor.yaml. Only `fetch` is another one.
const client = new OpenAI({ fetch: candor.fetch });

const answer = await client.chat.completions.create({
  model: process.env.MODEL ?? "gpt-4o-mini",
  messages: [{ role: "user", content: process.argv[2] ?? "Good morning!" }],
});
console.log(answer.choices[0]?.message.content);

const { persona, reasons } = candor.verdict("support");
console.log(`support is ${persona}: ${reasons[0]}`);
await candor.close();
