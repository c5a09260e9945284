/** The side of an exchange that faces the client: node:http's response itself, or a guard that stands before it. */
export interface ClientAnswer {
  readonly headersSent: boolean;
  readonly writableFinished: boolean;
  /** `headers` are names and values in turn. */
  writeHead(status: number, reason: string, headers: string[]): void;
  flushHeaders(): void;
  /** False asks to wait for `drain`. */
  write(chunk: Buffer): boolean;
  /** With `last`, the relay's own last words: they go as they are, and whatever was kept back is dropped. */
  end(last?: string): void;
  destroy(): void;
  on(event: "drain" | "close", listener: () => void): void;
}
