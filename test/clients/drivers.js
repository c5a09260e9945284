/**
 * How each real client asks for the same things. Every driver gives what its caller would see: texts, calls, why it ended,
 * or the error as the client reports it. Plain JavaScript, because these packages are installed apart from the project.
 */

import { readFileSync } from "node:fs";

const load = (name) => import(name);
const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
/** As `package.json` pins it. */
const versionOf = (name) => dependencies[name].replace(/^npm:.*@/, "");

const question = [{ role: "user", content: "Hello?" }];
const parameters = { type: "object", properties: { x: { type: "number" } } };
const tools = [{ type: "function", function: { name: "f", description: "a tool", parameters } }];

const openai = (name) => ({
  name: `openai ${versionOf(name)}`,
  async open(baseURL) {
    const { default: OpenAI } = await load(name);
    const client = new OpenAI({ baseURL, apiKey: "sk-test", maxRetries: 2 });
    const base = { model: "gpt-test", messages: question };
    return {
      async json() {
        const { choices } = await client.chat.completions.create(base);
        return { texts: choices.map(({ message }) => message.content), finish: choices[0].finish_reason };
      },
      async stream(signal) {
        const stream = await client.chat.completions.create({ ...base, stream: true }, { signal });
        let text = "";
        let finish = null;
        for await (const { choices } of stream) {
          text += choices[0]?.delta?.content ?? "";
          finish = choices[0]?.finish_reason ?? finish;
          if (signal?.onText) signal.onText();
        }
        return { texts: [text], finish };
      },
      async tools() {
        const { choices } = await client.chat.completions.create({ ...base, tools });
        return { calls: choices[0].message.tool_calls.map((call) => JSON.parse(call.function.arguments)) };
      },
      async many() {
        const { choices } = await client.chat.completions.create({ ...base, n: 2 });
        return { texts: choices.map(({ message }) => message.content) };
      },
    };
  },
});

const langchain = {
  name: `@langchain/openai ${versionOf("@langchain/openai")}`,
  async open(baseURL) {
    const { ChatOpenAI } = await load("@langchain/openai");
    const model = (more) =>
      new ChatOpenAI({ model: "gpt-test", apiKey: "sk-test", maxRetries: 2, configuration: { baseURL }, ...more });
    return {
      async json() {
        const said = await model().invoke("Hello?");
        return { texts: [said.content], finish: said.response_metadata.finish_reason };
      },
      async stream(signal) {
        let text = "";
        let finish = null;
        for await (const chunk of await model().stream("Hello?", { signal })) {
          text += chunk.content;
          finish = chunk.response_metadata?.finish_reason ?? finish;
          if (signal?.onText) signal.onText();
        }
        return { texts: [text], finish };
      },
      async tools() {
        const said = await model().bindTools(tools).invoke("Hello?");
        return { calls: said.tool_calls.map(({ args }) => args) };
      },
      async many() {
        const said = await model({ n: 2 }).generate([["human", "Hello?"]].map((one) => [one]));
        return { texts: said.generations[0].map(({ text }) => text) };
      },
    };
  },
};

const aiSdk = {
  name: `ai ${versionOf("ai")} with @ai-sdk/openai-compatible`,
  async open(baseURL) {
    const { generateText, streamText, tool, jsonSchema } = await load("ai");
    const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
    const model = createOpenAICompatible({ name: "candor", baseURL, apiKey: "sk-test" })("gpt-test");
    return {
      async json() {
        const { text, finishReason } = await generateText({ model, prompt: "Hello?", maxRetries: 2 });
        return { texts: [text], finish: finishReason };
      },
      async stream(signal) {
        let failure = null;
        const onError = ({ error }) => {
          failure = error;
        };
        const result = streamText({ model, prompt: "Hello?", maxRetries: 2, abortSignal: signal, onError });
        let text = "";
        for await (const piece of result.textStream) {
          text += piece;
          if (signal?.onText) signal.onText();
        }
        if (failure !== null) throw failure;
        if (signal?.aborted) throw new Error("aborted");
        return { texts: [text], finish: await result.finishReason };
      },
      async tools() {
        const f = tool({ description: "a tool", inputSchema: jsonSchema(parameters) });
        const { toolCalls } = await generateText({ model, prompt: "Hello?", tools: { f }, maxRetries: 2 });
        return { calls: toolCalls.map(({ input }) => input) };
      },
      // It has no name for several choices; what its provider passes through comes back in the body.
      async many() {
        const providerOptions = { candor: { n: 2 } };
        const { response } = await generateText({ model, prompt: "Hello?", maxRetries: 2, providerOptions });
        return { texts: response.body.choices.map(({ message }) => message.content) };
      },
    };
  },
};

const llamaIndex = {
  name: `@llamaindex/openai ${versionOf("@llamaindex/openai")}`,
  // It takes no signal, and leaving its loop ends nothing: its session's fetch is where a caller can.
  leaving: "upstream let go, by a `fetch` with a signal",
  async open(baseURL) {
    const { OpenAI } = await load("@llamaindex/openai");
    const llmWith = (additionalSessionOptions) =>
      new OpenAI({ model: "gpt-test", apiKey: "sk-test", baseURL, maxRetries: 2, additionalSessionOptions });
    const llm = llmWith({});
    return {
      async json() {
        const { message, raw } = await llm.chat({ messages: question });
        return { texts: [message.content], finish: raw.choices[0].finish_reason };
      },
      async stream(signal) {
        const leavable = (url, init) => fetch(url, { ...init, signal: signal ?? init.signal });
        const stream = await llmWith({ fetch: leavable }).chat({ messages: question, stream: true });
        let text = "";
        let finish = null;
        for await (const { delta, raw } of stream) {
          text += delta;
          finish = raw?.choices?.[0]?.finish_reason ?? finish;
          if (signal?.onText) signal.onText();
        }
        return { texts: [text], finish };
      },
      async tools() {
        const f = { call: () => "", metadata: { name: "f", description: "a tool", parameters } };
        const { message } = await llm.chat({ messages: question, tools: [f] });
        return { calls: message.options.toolCall.map(({ input }) => JSON.parse(input)) };
      },
      async many() {
        const { raw } = await llm.chat({ messages: question, additionalChatOptions: { n: 2 } });
        return { texts: raw.choices.map(({ message }) => message.content) };
      },
    };
  },
};

const anthropic = {
  name: `@anthropic-ai/sdk ${versionOf("@anthropic-ai/sdk")}`,
  async open(baseURL) {
    const { default: Anthropic } = await load("@anthropic-ai/sdk");
    const client = new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ""), apiKey: "sk-test", maxRetries: 2 });
    const base = { model: "gpt-test", max_tokens: 50, messages: question };
    const textOf = (content) => content.flatMap(({ text }) => text ?? []).join("");
    return {
      async json() {
        const { content, stop_reason } = await client.messages.create(base);
        return { texts: [textOf(content)], finish: stop_reason };
      },
      async stream(signal) {
        let text = "";
        let finish = null;
        for await (const event of await client.messages.create({ ...base, stream: true }, { signal })) {
          if (event.type === "content_block_delta") text += event.delta.text ?? "";
          if (event.type === "message_delta") finish = event.delta.stop_reason;
          if (signal?.onText) signal.onText();
        }
        return { texts: [text], finish };
      },
      async tools() {
        const offered = [{ name: "f", input_schema: parameters }];
        const { content } = await client.messages.create({ ...base, tools: offered });
        return { calls: content.filter(({ type }) => type === "tool_use").map(({ input }) => input) };
      },
      many: null,
    };
  },
};

export const drivers = [
  openai("openai-4"),
  openai("openai-5"),
  openai("openai-6"),
  openai("openai-7"),
  langchain,
  aiSdk,
  llamaIndex,
  anthropic,
];
