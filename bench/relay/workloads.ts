/** The two exchanges that are measured: about 1 KB of JSON each way, and event streams of 20 frames. */

const question = "Which of these two savings plans suits somebody who retires in eleven years? ".repeat(11);
const answer = "It depends on the fees, on taxes and on how much risk is bearable. ".repeat(9);

const usage = { prompt_tokens: 190, completion_tokens: 140, total_tokens: 330 };

export const wholeAnswer: Buffer = Buffer.from(
  JSON.stringify({
    id: "chatcmpl-9",
    object: "chat.completion",
    created: 1_700_000_000,
    model: "bench-model",
    choices: [{ index: 0, message: { role: "assistant", content: answer, refusal: null }, finish_reason: "stop" }],
    usage,
  }),
);

/** Streams that differ as those of a model do, in their ids and times; all equally long. */
const streamCount = 64;

const streamOf = (nth: number): readonly Buffer[] => {
  const frame = (text: string): string => {
    const choices = [{ index: 0, delta: { content: text }, finish_reason: null }];
    const chunk = {
      id: `chatcmpl-${100 + nth}`,
      object: "chat.completion.chunk",
      created: 1_700_000_000 + nth,
      model: "bench-model",
      choices,
    };
    return `data: ${JSON.stringify(chunk)}\n\n`;
  };
  const events = Array.from({ length: 19 }, (_, index) => frame(`word ${index} `));
  return [...events, "data: [DONE]\n\n"].map((event) => Buffer.from(event));
};

export const streams: readonly (readonly Buffer[])[] = Array.from({ length: streamCount }, (_, nth) => streamOf(nth));

const body = (stream: boolean): string =>
  JSON.stringify({
    model: "bench-model",
    messages: [
      { role: "system", content: "You advise on savings." },
      { role: "user", content: question },
    ],
    temperature: 0.2,
    ...(stream ? { stream: true } : {}),
  });

export const workloads = {
  json: { requestBody: body(false), answerBytes: wholeAnswer.length },
  sse: { requestBody: body(true), answerBytes: streams[0]?.reduce((sum, { length }) => sum + length, 0) ?? 0 },
} as const;
export type Workload = keyof typeof workloads;
