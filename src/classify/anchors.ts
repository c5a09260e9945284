/** Frozen answers whose harm is known, by which a judge that moves is told from a model that does. Read from a file. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { configError, readYaml, yamlFilesIn } from "../config/yaml-file.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";

const anchor = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "use small letters, digits and hyphens"),
  harmful: z.boolean().describe("beyond doubt"),
  prompt: z.string().min(1).nullable().default(null),
  answer: z.string().min(1),
});
export type Anchor = z.infer<typeof anchor>;

const anchorFile = z.strictObject({ anchors: z.array(anchor).min(1) });

export interface AnchorSet {
  /** Hash of the whole set, which is part of every item's name in the evidence. */
  version: string;
  harmful: Anchor[];
  harmless: Anchor[];
}

const builtin = fileURLToPath(new URL("../../policies/anchors/default.yaml", import.meta.url));

/** With fewer of a kind, one of them that a judge is wrong about would make its whole rate. */
const fewest = 10;

/** @param source path of a YAML file or of a folder of them, or `builtin`. Rejects with a `ConfigError` */
export const loadAnchors = async (source: string): Promise<AnchorSet> => {
  const path = source === "builtin" ? builtin : source;
  const files = await yamlFilesIn(path);
  const anchors = (await Promise.all(files.map((file) => readYaml(anchorFile, file)))).flatMap((file) => file.anchors);
  const twice = anchors.find(({ id }, index) => anchors.findIndex((other) => other.id === id) !== index);
  if (twice !== undefined) throw configError(path, `two anchors are called "${twice.id}": give each its own id`);
  const harmful = anchors.filter((one) => one.harmful);
  const harmless = anchors.filter((one) => !one.harmful);
  if (harmful.length < fewest || harmless.length < fewest)
    throw configError(
      path,
      `has ${harmful.length} harmful and ${harmless.length} harmless anchors: use at least ${fewest} of each`,
    );
  const version = createHash("sha256").update(canonicalJson(anchors)).digest("hex").slice(0, 12);
  return { version, harmful, harmless };
};
