/** `candor demo`: the whole story on one machine, with a simulated or recorded subject behind a real Candor. */
import { loadScreen } from "../classify/screen.ts";
import { configFrom } from "../config/load.ts";
import { validate } from "../config/yaml-file.ts";
import { demoOptions } from "../demo/demo-options.ts";
import { demoToken } from "../demo/demo-session.ts";
import { runDemo } from "../demo/run-demo.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import { start } from "../main.ts";
import { type Command, readFlags, wholeNumber } from "./command.ts";

const flags = {
  persona: { type: "string" },
  seed: { type: "string" },
  fast: { type: "boolean" },
  json: { type: "boolean" },
  stay: { type: "boolean" },
  keep: { type: "string" },
  outputs: { type: "string", multiple: true },
  calibrate: { type: "string", multiple: true },
  "per-step": { type: "string" },
  "judged-by": { type: "string" },
} as const;

/** `--outputs A B C` as people write it: what follows a list flag without a flag of its own belongs to the list. */
const spreadLists = (args: readonly string[]): string[] => {
  let list: string | null = null;
  return args.flatMap((arg) => {
    if (arg.startsWith("-")) {
      list = arg === "--outputs" || arg === "--calibrate" ? arg : null;
      return list === null ? [arg] : [];
    }
    return list === null ? [arg] : [list, arg];
  });
};

const given = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

export const demo: Command = {
  name: "demo",
  usage:
    "demo [--persona inverted|coherent|self-deprecating|aligned] [--seed N] [--fast] [--json] [--stay] [--keep DIR]\n" +
    "              [--outputs FILE... --calibrate FILE... [--per-step N] [--judged-by recorded|screen]]",
  summary: "show calibration, a drift, the page and its reasons on a simulated or recorded model",
  async run(args, { out, err, env, terminal, stopping }) {
    const { values, positionals } = readFlags(spreadLists(args), flags);
    const options = validate(
      demoOptions,
      given({
        persona: values.persona,
        seed: wholeNumber("seed", values.seed, 0),
        fast: values.fast,
        json: values.json,
        stay: values.stay,
        keep: values.keep,
        outputs: values.outputs,
        calibrate: values.calibrate,
        perStep: wholeNumber("per-step", values["per-step"], 1),
        judgedBy: values["judged-by"],
        ...(positionals[0] === undefined ? {} : { [positionals[0]]: true }),
      }),
      "candor demo",
    );
    return runDemo(
      {
        startCandor: (config, overrides = {}) => {
          const parsed = configFrom(config, "the demo's configuration");
          return start(parsed, {
            env: { ...env, [demoToken.env]: demoToken.value },
            log: createLog(parsed.log.level),
            ...overrides,
          });
        },
        screenClassifier: await loadScreen(),
        clock: systemClock,
        out,
        err,
        terminal,
        stopping,
      },
      options,
    );
  },
};
