// Imports point one way. Each layer lists what it may know of ours; everything else is an error.
const may = {
  kernel: [],
  persona: [],
  config: [],
  egress: ["config"],
  dialect: [],
  classify: ["config"],
  evidence: ["persona"],
  probe: ["config", "dialect", "classify", "evidence"],
  relay: ["config", "egress", "dialect"],
  watch: ["config", "dialect", "classify", "evidence", "persona", "probe"],
  alert: ["config", "evidence", "persona", "watch"],
  control: ["config", "evidence", "persona", "alert", "watch"],
  demo: ["config", "dialect", "classify", "evidence", "persona", "probe", "watch"],
};

// The kernel (clock, seeded chance) is open to all but persona, whose functions take neither.
const layers = Object.entries(may).map(([layer, allowed]) => ({
  name: `${layer}-knows-only-what-is-below-it`,
  severity: "error",
  from: { path: `^src/${layer}/` },
  to: { path: "^src/", pathNot: `^src/(${[layer === "persona" ? [] : "kernel", layer, allowed].flat(2).join("|")})/` },
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
