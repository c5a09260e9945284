/** What the image runs, read from the Dockerfile and built in this checkout. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const root = fileURLToPath(new URL("../../", import.meta.url));
const installed = "/candor/";

/** Arguments of Node, up to the file that it runs, which is that of this checkout. @throws where the image has no such */
export const imageArguments = (): string[] => {
  const entry = /^ENTRYPOINT (.*)$/m.exec(readFileSync(`${root}/Dockerfile`, "utf8"))?.[1] ?? "null";
  const [command, ...args] = z.array(z.string()).parse(JSON.parse(entry));
  const file = args.pop();
  if (command !== "node" || !file?.startsWith(installed)) throw new Error("the image does not run Candor by node");
  return [...args, `${root}${file.slice(installed.length)}`];
};

/** The same JavaScript that `npm run build` writes; that the types hold is looked for elsewhere. */
export const build = (): void => {
  const compiler = fileURLToPath(import.meta.resolve("typescript/lib/tsc.js"));
  const args = [compiler, "-p", "tsconfig.build.json", "--noCheck", "--declaration", "false"];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`it could not be built: ${stdout}`);
};
