/** Signatures of webhooks by the Standard Webhooks convention (standardwebhooks.com, symmetric scheme v1). */
import { createHmac } from "node:crypto";

/** @param secret `whsec_` and the key in base64 */
export const signatureHeaders = (
  secret: string,
  { id, at, body }: { id: string; at: number; body: string },
): Record<string, string> => {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const timestamp = String(Math.floor(at / 1000));
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
};
