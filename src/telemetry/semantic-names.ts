/** Metrics of OpenTelemetry's conventions, by the names that they have in Prometheus, as OpenTelemetry itself writes them. */

type Labels = Readonly<Record<string, string | number>>;

const metrics: ReadonlyMap<string, { name: string; unit: string }> = new Map([
  ["gen_ai_client_operation_duration_seconds", { name: "gen_ai.client.operation.duration", unit: "s" }],
  [
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    { name: "gen_ai.client.operation.time_to_first_chunk", unit: "s" },
  ],
  ["gen_ai_client_token_usage", { name: "gen_ai.client.token.usage", unit: "{token}" }],
]);

const labels: ReadonlyMap<string, string> = new Map([
  ["gen_ai_operation_name", "gen_ai.operation.name"],
  ["gen_ai_provider_name", "gen_ai.provider.name"],
  ["gen_ai_request_model", "gen_ai.request.model"],
  ["gen_ai_token_type", "gen_ai.token.type"],
  ["error_type", "error.type"],
]);

export interface Named {
  name: string;
  unit: string;
  attributes(labels: Labels): Record<string, string | number>;
}

/** Candor's own keep their names, with their unit in it. */
export const namedForOtlp = (name: string): Named => {
  const semantic = metrics.get(name);
  if (semantic === undefined) return { name, unit: "", attributes: (own) => ({ ...own }) };
  return {
    ...semantic,
    attributes: (own) =>
      Object.fromEntries(Object.entries(own).map(([label, text]) => [labels.get(label) ?? label, text])),
  };
};
