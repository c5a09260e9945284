/** Loaded before Candor in a test: logs at the end which packages and which of Candor's own folders were read. */
import { registerHooks } from "node:module";

const read = new Set();
registerHooks({
  load(url, context, next) {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? /\/(src\/[^/]+)\//.exec(url)?.[1];
    if (name !== undefined) read.add(name);
    return next(url, context);
  },
});

process.on("exit", () => process.stderr.write(`${JSON.stringify({ msg: "modules", read: [...read] })}\n`));
