/** The proxy with a configuration file, for a benchmark. Its first line says where. Usage: node proxy.ts FILE */
import { loadConfig } from "../../src/config/load.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";

const candor = await start(await loadConfig(process.argv[2] ?? ""), { env: {}, log: createLog("silent") });
console.log(candor.dataUrl);
process.once("SIGTERM", () => void candor.stop().then(() => process.exit(0)));
