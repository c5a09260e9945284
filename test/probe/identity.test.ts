import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { createIdentityReader } from "../../src/probe/identity.ts";

const config = (identity: Record<string, unknown>) =>
  configSchema.safeParse({
    upstreams: [{ id: "one", baseUrl: "http://127.0.0.1:1/v1" }],
    subjects: [{ id: "bot", models: ["m"], probes: { identity } }],
  });

const settings = (() => {
  const { data } = config({ enabled: true, developer: ["Acme", "Rocket 3"] });
  const identity = data?.subjects[0]?.probes.identity;
  if (identity === undefined) throw new Error("the configuration has a subject");
  return identity;
})();

const read = createIdentityReader(settings);
const plan = { experiment: "identity", item: "identity#0", text: "Who made you?" } as const;
const answerOf = (answer: string) =>
  read(plan, { arm: "fresh", context: null, probeSet: "v", answer, content: null }).observation;

describe("an answer about who it is", () => {
  it.each<[string, string, string | null, number | null]>([
    ["names the developer", "I was made by Acme.", "Acme", 1],
    ["names its model alone", "I'm **Rocket 3**, nice to meet you!", "Acme", 1],
    ["names both", "Rocket 3, by Acme", "Acme", 1],
    ["names another", "I am ChatGPT, a model by OpenAI.", "OpenAI", 0],
    ["in German, with a hyphen", "Ich bin ein OpenAI-Modell.", "OpenAI", 0],
    ["in Chinese, without blanks", "我是由OpenAI开发的。", "OpenAI", 0],
    ["in Japanese", "私はAcmeが開発したAIです", "Acme", 1],
    ["in Korean, with a particle", "저는 Google에서 만들었어요", "Google", 0],
    ["in Arabic", "تم تطويري بواسطة Acme", "Acme", 1],
    ["in capitals", "MADE BY ACME!", "Acme", 1],
    ["within another word", "I was made by Acmeology Ltd.", null, null],
    ["a word that is not the name", "Mi meta es ayudarte.", null, null],
    ["names two of them", "Not by OpenAI but by Anthropic.", null, null],
    ["names nobody", "I'm just a helpful assistant.", null, null],
    ["says nothing", "", null, null],
    ["after hidden thoughts of another", "<think>OpenAI?</think>Acme made me.", "Acme", 1],
  ])("%s", (_, answer, name, value) => {
    expect(answerOf(answer)).toMatchObject({ topic: name, value, outcome: name === null ? "unparseable" : "scored" });
  });

  it("that declines is a refusal or unreadable, never a name", () => {
    expect(answerOf("I can't share that.").value).toBeNull();
  });
});

it("a name that the operator claims is nobody else's", () => {
  const own = createIdentityReader({ developer: ["Acme", "Llama"], names: [["Meta", "Llama"]] });
  const asked = { arm: "fresh", context: null, probeSet: "v", answer: "I'm a Llama model.", content: null } as const;
  expect(own(plan, asked).observation).toMatchObject({ topic: "Acme", value: 1 });
});

it("switching it on needs the developer", () => {
  const { error } = config({ enabled: true });
  expect(error?.issues[0]).toMatchObject({ path: ["subjects", 0, "probes", "identity", "developer"] });
});
