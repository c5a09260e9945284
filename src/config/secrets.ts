/** Reads the keys that the configuration names. A key's value is never logged, stored, or put into an error. */
import { readFileSync } from "node:fs";
import type { Config } from "./schema.ts";
import { configError } from "./yaml-file.ts";

type Secret = { env: string } | { file: string };

export interface Secrets {
  /** Keys by upstream id, only of upstreams that inject one. */
  upstream: ReadonlyMap<string, string>;
  /** Keys for fresh probes by subject id, where one was configured. */
  probe: ReadonlyMap<string, string>;
  judge: string | null;
  guard: string | null;
  moderation: string | null;
  controlToken: string | null;
  controlPepper: string | null;
  /** By id of the receiver: keys of Alertmanagers that have one, signing secrets of webhooks. */
  alerting: ReadonlyMap<string, string>;
  /** Values of the headers of telemetry, by name. */
  telemetry: ReadonlyMap<string, string>;
  /** URL of the database in which the shared log is. */
  evidenceUrl: string | null;
}

const asText = (values: ReadonlyMap<string, string>): string => JSON.stringify([...values].toSorted());

/** Names of fields whose secrets have changed and are read at the start alone. */
export const changedFixedSecrets = (before: Secrets, now: Secrets): string[] => [
  ...(before.evidenceUrl === now.evidenceUrl ? [] : ["evidence.postgres.url"]),
  ...(before.controlPepper === now.controlPepper ? [] : ["control.pepper"]),
  ...(asText(before.telemetry) === asText(now.telemetry) ? [] : ["telemetry.otlp.headers"]),
];

/** A header value can hold visible ASCII only; anything else would fail at the first request instead of here. */
const usable = /^[\x21-\x7e]+$/;
/** A whole header value, as `Bearer` and a key, may hold blanks as well. */
const usableInHeader = /^[\x20-\x7e]+$/;

/** As Standard Webhooks has it: 24 to 64 bytes in base64. */
const signingSecret = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;

const read = (secret: Secret, path: string, env: NodeJS.ProcessEnv, pattern = usable): string => {
  const fail = (fix: string): never => {
    throw configError("configuration", fix, path);
  };
  let value: string | undefined;
  if ("env" in secret) {
    value = env[secret.env]?.trim();
    if (value === undefined || value === "")
      return fail(`environment variable ${secret.env} is not set: set it to the key`);
  } else {
    try {
      value = readFileSync(secret.file, "utf8").trim();
    } catch {
      return fail(`file ${secret.file} can't be read: check the path and permissions`);
    }
    if (value === "") return fail(`file ${secret.file} is empty: put the key into it`);
  }
  return pattern.test(value) ? value : fail("the key holds blanks or characters outside ASCII: use the bare key");
};

export const readSecrets = (config: Config, env: NodeJS.ProcessEnv): Secrets => {
  const upstream = new Map<string, string>();
  for (const [index, { id, key }] of config.upstreams.entries()) {
    if (key !== undefined) upstream.set(id, read(key, `upstreams[${index}].key`, env));
  }
  const probe = new Map<string, string>();
  for (const [index, { id, probes }] of config.subjects.entries()) {
    if (probes.key !== undefined) probe.set(id, read(probes.key, `subjects[${index}].probes.key`, env));
  }
  const alerting = new Map<string, string>();
  for (const [index, { id, key }] of config.alerting.alertmanagers.entries()) {
    if (key !== undefined) alerting.set(id, read(key, `alerting.alertmanagers[${index}].key`, env));
  }
  for (const [index, { id, secret }] of config.alerting.webhooks.entries()) {
    const path = `alerting.webhooks[${index}].secret`;
    const value = read(secret, path, env);
    const fix = "use whsec_ and 24 to 64 random bytes in base64, as from: echo whsec_$(openssl rand -base64 32)";
    if (!signingSecret.test(value)) throw configError("configuration", fix, path);
    alerting.set(id, value);
  }
  const telemetry = new Map<string, string>();
  for (const [name, value] of Object.entries(config.telemetry.otlp?.headers ?? {})) {
    telemetry.set(name, read(value, `telemetry.otlp.headers.${name}`, env, usableInHeader));
  }
  const optional = (secret: Secret | undefined, path: string): string | null =>
    secret === undefined ? null : read(secret, path, env);
  return {
    upstream,
    probe,
    judge: optional(config.classify.judge?.key, "classify.judge.key"),
    guard: optional(config.classify.guard?.key, "classify.guard.key"),
    moderation: optional(config.classify.moderation?.key, "classify.moderation.key"),
    controlToken: optional(config.control.token, "control.token"),
    alerting,
    telemetry,
    controlPepper: optional(config.control.pepper, "control.pepper"),
    evidenceUrl: optional(config.evidence.postgres?.url, "evidence.postgres.url"),
  };
};
