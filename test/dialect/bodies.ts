/** Bodies as they come off the wire. */
export const json = (body: unknown): Buffer => Buffer.from(JSON.stringify(body));

export const stream = (chunks: unknown[], end = "data: [DONE]\n\n"): Buffer =>
  Buffer.from(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("") + end);

export const chunksOf = (text: string, size: number): string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size));
