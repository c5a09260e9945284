/**
 * How each real client asks for the same things. Every driver gives what its caller would see: texts, calls, why it ended,
 * or the error as the client reports it. Plain JavaScript, because these packages are installed apart from the project.
 */

const load = (name) => import(name);

const question = [{ role: "user", content: "Hello?" }];
const parameters = { type: "object", properties: { x: { type: "number" } } };
const tools = [{ type: "function", function: { name: "f", description: "a tool", parameters } }];

const openai = (name, version) => ({
  name: `openai ${version}`,
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
  name: "@langchain/openai",
  async open(baseURL) {
    const { ChatOpenAI } = await load("@langchain/openai");
    const model = (more) =>
      new ChatOpenAI({ model: "gpt-test", apiKey: "sk-test", maxRetries: 0, configuration: { baseURL }, ...more });
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
  name: "ai with @ai-sdk/openai-compatible",
  async open(baseURL) {
    const { generateText, streamText, tool, jsonSchema } = await load("ai");
    const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
    const model = createOpenAICompatible({ name: "candor", baseURL, apiKey: "sk-test" })("gpt-test");
    return {
      async json() {
        const { text, finishReason } = await generateText({ model, prompt: "Hello?", maxRetries: 0 });
        return { texts: [text], finish: finishReason };
      },
      async stream(signal) {
        let failure = null;
        const onError = ({ error }) => {
          failure = error;
        };
        const result = streamText({ model, prompt: "Hello?", maxRetries: 0, abortSignal: signal, onError });
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
        const { toolCalls } = await generateText({ model, prompt: "Hello?", tools: { f }, maxRetries: 0 });
        return { calls: toolCalls.map(({ input }) => input) };
      },
      many: null,
    };
  },
};

const llamaIndex = {
  name: "@llamaindex/openai",
  // Leaving its stream early did not end it, as far as this driver could.
  leaves: false,
  async open(baseURL) {
    const { OpenAI } = await load("@llamaindex/openai");
    const llm = new OpenAI({ model: "gpt-test", apiKey: "sk-test", baseURL, maxRetries: 0 });
    return {
      async json() {
        const { message, raw } = await llm.chat({ messages: question });
        return { texts: [message.content], finish: raw.choices[0].finish_reason };
      },
      async stream(signal) {
        let text = "";
        let finish = null;
        for await (const { delta, raw } of await llm.chat({ messages: question, stream: true })) {
          text += delta;
          finish = raw?.choices?.[0]?.finish_reason ?? finish;
          if (signal?.onText) signal.onText();
        }
        return { texts: [text], finish };
      },
      tools: null,
      many: null,
    };
  },
};

const anthropic = {
  name: "@anthropic-ai/sdk",
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
  openai("openai-4", "4.104.0"),
  openai("openai-5", "5.23.2"),
  openai("openai-6", "6.49.0"),
  openai("openai-7", "7.57.0"),
  langchain,
  aiSdk,
  llamaIndex,
  anthropic,
];
