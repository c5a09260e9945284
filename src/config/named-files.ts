/** The files and folders that a configuration names and that are read with it: what they hold is part of it. */
import type { Config } from "./schema.ts";

type Secret = { env: string } | { file: string };

const secretsIn = ({ upstreams, subjects, classify, control, alerting, telemetry, evidence }: Config): Secret[] =>
  [
    ...upstreams.map(({ key }) => key),
    ...subjects.map(({ probes }) => probes.key),
    ...[classify.judge, classify.guard, classify.moderation].map((server) => server?.key),
    control.token,
    control.pepper,
    ...alerting.alertmanagers.map(({ key }) => key),
    ...alerting.webhooks.map(({ secret }) => secret),
    ...Object.values(telemetry.otlp?.headers ?? {}),
    evidence.postgres?.url,
  ].filter((secret) => secret !== undefined);

/** What ships with the program changes with the program. */
const shipped = "builtin";

export const namedFiles = (config: Config): string[] => {
  const { policies, subjects, classify } = config;
  const { set } = classify.anchors;
  const { model, probeModel } = classify.screen;
  const files = [
    ...policies,
    ...subjects.map(({ probes }) => probes.set).filter((path) => path !== shipped),
    ...(set === shipped ? [] : [set]),
    ...[model, probeModel].filter((folder) => folder !== undefined),
    ...secretsIn(config).flatMap((secret) => ("file" in secret ? [secret.file] : [])),
  ];
  return [...new Set(files)];
};
