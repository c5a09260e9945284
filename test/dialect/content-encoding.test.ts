import zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeContent, defaultDecodingLimits } from "../../src/dialect/content-encoding.ts";

const text = Buffer.from('{"choices":[]}');
const noise = (size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  for (let at = 0, state = 1; at < size; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
};

describe("an encoded answer", () => {
  test.each<[string, Buffer, string | undefined]>([
    ["no encoding", text, undefined],
    ["identity", text, "identity"],
    ["gzip", zlib.gzipSync(text), "gzip"],
    ["gzip by its old name and in capitals", zlib.gzipSync(text), "X-GZIP"],
    ["deflate in the zlib format", zlib.deflateSync(text), "deflate"],
    ["deflate without the zlib header", zlib.deflateRawSync(text), "deflate"],
    ["brotli", zlib.brotliCompressSync(text), "br"],
    ["zstd", zlib.zstdCompressSync(text), "zstd"],
    ["two layers, in the order in which they were applied", zlib.gzipSync(zlib.brotliCompressSync(text)), "br, gzip"],
    ["identities between layers", zlib.gzipSync(text), "identity, identity, identity, gzip"],
  ])("is decoded: %s", async (_, bytes, encoding) => {
    expect(await decodeContent(bytes, encoding)).toEqual({ kind: "decoded", bytes: text });
  });

  test.each<[string, Buffer, string, string]>([
    ["of an unknown encoding", text, "compress", "unknown-encoding"],
    ["that is not what it says", text, "gzip", "corrupt"],
    ["that is cut off", zlib.gzipSync(noise(1000)).subarray(0, 500), "gzip", "corrupt"],
    ["of more layers than allowed", text, "gzip, gzip, gzip", "too-many-layers"],
    ["of a thousand layers", text, "br,".repeat(1000), "too-many-layers"],
  ])("is not decoded when it is one %s", async (_, bytes, encoding, reason) => {
    expect(await decodeContent(bytes, encoding)).toEqual({ kind: "undecodable", reason });
  });

  test.each(["gzip", "br", "zstd", "deflate"])("of %s that grows beyond the ratio is given up", async (encoding) => {
    const bomb = Buffer.alloc(1024 * 1024);
    const packed = {
      gzip: zlib.gzipSync(bomb),
      br: zlib.brotliCompressSync(bomb),
      zstd: zlib.zstdCompressSync(bomb),
      deflate: zlib.deflateSync(bomb),
    }[encoding];
    expect(await decodeContent(packed ?? text, encoding)).toEqual({ kind: "undecodable", reason: "too-large" });
  });

  test("that is larger than the limit is given up though its ratio is small", async () => {
    const limits = { ...defaultDecodingLimits, maxBytes: 100_000 };
    const packed = zlib.gzipSync(noise(100_001));
    expect(await decodeContent(packed, "gzip", limits)).toEqual({ kind: "undecodable", reason: "too-large" });
    expect((await decodeContent(zlib.gzipSync(noise(100_000)), "gzip", limits)).kind).toBe("decoded");
  });

  test("may be small and repetitive beyond the ratio", async () => {
    const repetitive = Buffer.alloc(60 * 1024);
    expect(await decodeContent(zlib.gzipSync(repetitive), "gzip")).toEqual({ kind: "decoded", bytes: repetitive });
  });

  test("never makes the reader fail, whatever its bytes and its header", async () => {
    const names = fc.constantFrom("gzip", "br", "deflate", "zstd", "identity", "", "constructor");
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.array(names, { maxLength: 4 }), async (raw, encodings) => {
        const { kind } = await decodeContent(Buffer.from(raw), encodings.join(","));
        expect(["decoded", "undecodable"]).toContain(kind);
      }),
      { numRuns: 300 },
    );
  });
});
