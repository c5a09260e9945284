/** Makes a validated `Config` of a file, a text or a value. Reads nothing else: secrets are resolved by `secrets.ts`. */
import { type Config, configSchema } from "./schema.ts";
import { parseYaml, readYaml, validate } from "./yaml-file.ts";

export const parseConfig = (text: string, source: string): Config => parseYaml(configSchema, text, source);

export const configFrom = (input: unknown, source: string): Config => validate(configSchema, input, source);

export const loadConfig = (path: string): Promise<Config> => readYaml(configSchema, path);
