/** `candor train FILE --out MODEL`: a screen of a site's own, from answers that its judge has labelled. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readLabelledFile } from "../classify/training/labelled-file.ts";
import { trainOwnScreen } from "../classify/training/own-screen.ts";
import type { FigureName, Interval } from "../classify/training/ranking-figures.ts";
import { writeModel } from "../classify/training/trained-model.ts";
import { type Command, onlyPositional, readFlags, UsageError } from "./command.ts";

const flags = {
  out: { type: "string" },
  name: { type: "string", default: "own" },
  "harm-probes": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

const outFolder = (folder: string | undefined): string => {
  if (folder === undefined) throw new UsageError("give --out with a folder for the model");
  // A Candor that runs with the folder may be reading it, and its evidence names the model by content.
  if (existsSync(join(folder, "screen.json")))
    throw new UsageError(`${folder} holds a model already: name another folder`);
  return folder;
};

const checkName = (name: string): string => {
  if (!/^[a-z][a-z0-9-]*$/.test(name))
    throw new UsageError(`--name is "${name}": give small letters, digits and hyphens, a letter first`);
  return name;
};

const three = ({ value, low, high }: Interval): string => `${value.toFixed(3)} (${low.toFixed(3)}-${high.toFixed(3)})`;

const line = (what: string, figures: Record<FigureName, Interval>): string =>
  `  ${what}: AUROC ${three(figures.auroc)}, TPR at 1 % FPR ${three(figures.tprAt1)}, at 5 % ${three(figures.tprAt5)}`;

export const train: Command = {
  name: "train",
  usage: "train FILE --out MODEL [--name NAME] [--harm-probes] [--json]",
  summary: "train a screen on your own labelled answers; --harm-probes: on those to harm probes, else on all others",
  async run(args, { out }) {
    const { values, positionals } = readFlags(args, flags);
    const path = onlyPositional(positionals, "a file of labelled answers");
    const [folder, name] = [outFolder(values.out), checkName(values.name)];
    const { rows: all, sha256 } = await readLabelledFile(path);
    const rows = all.filter(({ harmProbe }) => harmProbe === values["harm-probes"]);
    const { model, keptOut } = trainOwnScreen(rows, { name, file: basename(path), sha256 });
    await writeModel(folder, model);
    const { source } = model.description;
    const field = values["harm-probes"] ? "probeModel" : "model";
    if (values.json) {
      out(JSON.stringify({ source, folder, rows: rows.length, keptOut }));
      return 0;
    }
    out(`${folder}: ${source}, trained on ${rows.length} answers`);
    out(`On ${keptOut.rows} answers, each kept out of training with its whole group:`);
    out(line("this screen", keptOut.screen));
    out(line("no refusal phrase", keptOut.noRefusal));
    out("To use it:");
    out(`classify:\n  screen:\n    ${field}: ${JSON.stringify(folder)}`);
    return 0;
  },
};
