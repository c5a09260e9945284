/** Finds the model that a request names. The body is parsed, never searched: a substring is not a field. */

export type RequestedModel = { kind: "object"; model: string | null } | { kind: "not-an-object" };

export const readModel = (body: Buffer): RequestedModel => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString("utf8"));
  } catch {
    return { kind: "not-an-object" };
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return { kind: "not-an-object" };
  const model = "model" in parsed ? parsed.model : undefined;
  return { kind: "object", model: typeof model === "string" ? model : null };
};
