/** `candor serve`: runs the guardrail until it is told to stop, then drains. */
import { configFrom, loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { createLog } from "../kernel/log.ts";
import { start } from "../main.ts";
import { type Command, readFlags, UsageError, wholeNumber } from "./command.ts";

const flags = {
  config: { type: "string", short: "c" },
  upstream: { type: "string" },
  model: { type: "string", multiple: true },
  subject: { type: "string" },
  "key-env": { type: "string" },
  port: { type: "string" },
  "control-port": { type: "string" },
  evidence: { type: "string" },
} as const;

type Flags = ReturnType<typeof readFlags<typeof flags>>["values"];

/** A subject's id made from a model's name: `Qwen/Qwen2.5-7B` becomes `qwen-qwen2.5-7b`. */
const subjectIdFor = (model: string): string =>
  model
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 63) || "subject";

const configFromFlags = (values: Flags): Config => {
  if (values.upstream === undefined) throw new UsageError("give --config FILE, or --upstream URL and --model NAME");
  const models = values.model ?? [];
  if (models[0] === undefined)
    throw new UsageError("give --model NAME, as the app sends it; several times for several names");
  return configFrom(
    {
      upstreams: [
        {
          id: "default",
          baseUrl: values.upstream,
          ...(values["key-env"] === undefined ? {} : { key: { env: values["key-env"] } }),
        },
      ],
      subjects: [{ id: values.subject ?? subjectIdFor(models[0]), models }],
    },
    "command line",
  );
};

const readConfig = async (values: Flags): Promise<Config> => {
  const alone = ["upstream", "model", "subject", "key-env"] as const;
  const mixed = alone.find((flag) => values[flag] !== undefined);
  if (values.config !== undefined && mixed !== undefined) {
    throw new UsageError(`--${mixed} and --config exclude each other: put it into the file`);
  }
  const config = values.config === undefined ? configFromFlags(values) : await loadConfig(values.config);
  const { data, control } = config.listen;
  return {
    ...config,
    listen: {
      data: { ...data, port: wholeNumber("port", values.port, 0) ?? data.port },
      control: { ...control, port: wholeNumber("control-port", values["control-port"], 0) ?? control.port },
    },
    evidence: { ...config.evidence, path: values.evidence ?? config.evidence.path },
  };
};

export const serve: Command = {
  name: "serve",
  usage:
    "serve --config FILE | --upstream URL --model NAME... [--subject ID] [--key-env NAME] [--port N] [--control-port N] [--evidence FILE]",
  summary: "relay, watch and alert",
  async run(args, { env, stopping }) {
    const { values, positionals } = readFlags(args, flags);
    if (positionals[0] !== undefined) throw new UsageError(`serve takes flags only; what is "${positionals[0]}"?`);
    const log = createLog("info");
    const source = { file: values.config ?? null, read: () => readConfig(values) };
    const candor = await start(source, {
      env,
      log,
      configured(config) {
        log.level = config.log.level;
      },
    });
    log.info({ data: candor.dataUrl, control: candor.controlUrl }, "ready");
    await new Promise<void>((resolve) => {
      if (stopping.aborted) resolve();
      else stopping.addEventListener("abort", () => resolve(), { once: true });
    });
    log.info("draining");
    await candor.stop();
    log.info("stopped");
    return 0;
  },
};
