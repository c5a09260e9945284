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
  /** URL of the database in which the shared log is. */
  evidenceUrl: string | null;
}

/** A header value can hold visible ASCII only; anything else would fail at the first request instead of here. */
const usable = /^[\x21-\x7e]+$/;

const read = (secret: Secret, path: string, env: NodeJS.ProcessEnv): string => {
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
  return usable.test(value) ? value : fail("the key holds blanks or characters outside ASCII: use the bare key");
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
  const optional = (secret: Secret | undefined, path: string): string | null =>
    secret === undefined ? null : read(secret, path, env);
  return {
    upstream,
    probe,
    judge: optional(config.classify.judge?.key, "classify.judge.key"),
    guard: optional(config.classify.guard?.key, "classify.guard.key"),
    moderation: optional(config.classify.moderation?.key, "classify.moderation.key"),
    controlToken: optional(config.control.token, "control.token"),
    controlPepper: optional(config.control.pepper, "control.pepper"),
    evidenceUrl: optional(config.evidence.postgres?.url, "evidence.postgres.url"),
  };
};
