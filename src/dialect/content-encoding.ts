/**
 * Undoes an answer's content encoding on a copy, off the hot path. A small hostile body must not become a large one:
 * output, ratio and the number of layers are bounded (chains of encodings brought down clients: CVE-2026-22036).
 */
import { promisify } from "node:util";
import zlib from "node:zlib";

export interface DecodingLimits {
  /** Largest size after any layer. */
  maxBytes: number;
  /** Largest growth by one layer; the first 64 KiB are free of it, as short repetitive texts shrink a lot. */
  maxRatio: number;
  maxLayers: number;
}

export const defaultDecodingLimits: DecodingLimits = { maxBytes: 8 * 1024 * 1024, maxRatio: 200, maxLayers: 2 };

export type Decoded =
  | { kind: "decoded"; bytes: Buffer }
  | { kind: "undecodable"; reason: "unknown-encoding" | "too-many-layers" | "too-large" | "corrupt" };

type Decode = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const gunzip: Decode = promisify(zlib.gunzip);
const inflate: Decode = promisify(zlib.inflate);
const inflateRaw: Decode = promisify(zlib.inflateRaw);
const brotli: Decode = promisify(zlib.brotliDecompress);
const zstd: Decode = promisify(zlib.zstdDecompress);

/** `deflate` should mean the zlib format (RFC 9110, 8.4.1.2), but some servers send it without the zlib header. */
const deflate: Decode = (bytes, options) => {
  const [first = 0, second = 0] = bytes;
  const hasHeader = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  return (hasHeader ? inflate : inflateRaw)(bytes, options);
};

const decoders: ReadonlyMap<string, Decode> = new Map([
  ["gzip", gunzip],
  ["x-gzip", gunzip],
  ["deflate", deflate],
  ["br", brotli],
  ["zstd", zstd],
]);

const freeOfRatio = 64 * 1024;

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";

/** `encoding` is the `content-encoding` header: codings in the order in which they were applied. Never rejects. */
export const decodeContent = async (
  bytes: Buffer,
  encoding: string | undefined,
  limits: DecodingLimits = defaultDecodingLimits,
): Promise<Decoded> => {
  const layers = (encoding ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  if (layers.length > limits.maxLayers) return { kind: "undecodable", reason: "too-many-layers" };
  let decoded = bytes;
  for (const layer of layers.reverse()) {
    const decode = decoders.get(layer);
    if (decode === undefined) return { kind: "undecodable", reason: "unknown-encoding" };
    const byRatio = Math.max(freeOfRatio, decoded.length * limits.maxRatio);
    try {
      decoded = await decode(decoded, { maxOutputLength: Math.min(limits.maxBytes, byRatio) });
    } catch (error) {
      return { kind: "undecodable", reason: isTooLarge(error) ? "too-large" : "corrupt" };
    }
  }
  return { kind: "decoded", bytes: decoded };
};
