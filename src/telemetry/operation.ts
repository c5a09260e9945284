/** What OpenTelemetry's conventions for generative AI call an operation, and who counts them by these conventions. */
export interface Operation {
  name: "chat" | "text_completion" | "embeddings";
  /** The format of the API, whoever answers. */
  provider: "openai" | "anthropic";
  /** A configured name; null for any other. */
  model: string | null;
  /** As the answer tells them; null where it does not, or was not read. */
  tokens: { input: number; output: number } | null;
}

/** Implementations return at once and never throw. */
export interface OperationMeter {
  operated(
    operation: Operation,
    ended: {
      seconds: number;
      /** Of streams; null for answers in one piece, and where none came. */
      firstChunkSeconds: number | null;
      /** From a bounded set; null where nothing went wrong. */
      error: string | null;
    },
  ): void;
}
