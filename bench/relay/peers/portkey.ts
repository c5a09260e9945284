/** How the Portkey gateway is installed beside the measurements and started. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const server = `${folder}node_modules/@portkey-ai/gateway/build/start-server.js`;

export const installPeer = (): void => {
  if (existsSync(server)) return;
  const { status } = spawnSync(
    "npm",
    ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"],
    {
      stdio: "inherit",
    },
  );
  if (status !== 0) throw new Error("the peer could not be installed; use --no-peer to measure without it");
};

export const peerCommand = (port: number): readonly string[] => [
  process.execPath,
  "--require",
  `${folder}portkey-preload.cjs`,
  server,
  "--headless",
  `--port=${port}`,
];

export const peerHeaders = (upstreamPort: number): readonly string[] => [
  "x-portkey-provider: openai",
  `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`,
];
