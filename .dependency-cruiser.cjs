// Imports point one way. Each layer lists what it may know of ours, by folder or by file; everything else is an error.
const exchange = "relay/exchange.ts";
const decisions = "guard/guard.ts";
const may = {
  kernel: [],
  persona: [],
  config: ["kernel/"],
  dialect: ["kernel/"],
  egress: ["kernel/", "config/"],
  classify: ["kernel/", "config/"],
  evidence: ["kernel/", "persona/"],
  probe: ["kernel/", "config/", "dialect/", "classify/", "evidence/"],
  audit: ["kernel/", "config/", "dialect/", "egress/", "classify/", "persona/", "probe/", "evidence/entry.ts"],
  guard: ["kernel/", "config/", "dialect/", "classify/"],
  relay: ["kernel/", "config/", "egress/", "dialect/", "guard/"],
  watch: ["kernel/", "config/", "dialect/", "classify/", "evidence/", "persona/", "probe/", exchange, decisions],
  telemetry: ["kernel/", "config/", "dialect/", "classify/", "probe/", "egress/delivery.ts", exchange, decisions],
  notify: ["kernel/", "config/", "evidence/", "persona/", "watch/", "egress/delivery.ts"],
  alert: [
    "kernel/",
    "config/",
    "dialect/",
    "guard/",
    "classify/",
    "evidence/",
    "persona/",
    "probe/",
    "watch/",
    "notify/",
    "telemetry/",
    exchange,
  ],
  control: ["kernel/", "config/", "guard/", "evidence/", "persona/", "alert/", "watch/"],
  demo: ["kernel/", "config/", "dialect/", "classify/", "evidence/", "persona/", "probe/", "watch/", "control/"],
};

const literally = (path) => path.replaceAll(".", "\\.");

const layers = Object.entries(may).map(([layer, allowed]) => ({
  name: `${layer}-knows-only-what-is-below-it`,
  severity: "error",
  from: { path: `^src/${layer}/` },
  to: { path: "^src/", pathNot: `^src/(${[`${layer}/`, ...allowed].map(literally).join("|")})` },
}));

module.exports = {
  forbidden: [
    ...layers,
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-code-from-data",
      comment: "policies are data: nothing in src evaluates code or starts processes",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(node:)?(vm|child_process|repl)$" },
    },
    {
      name: "source-knows-no-tests",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|scripts)/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
  },
};
