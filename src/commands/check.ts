/** `candor check FILE`: says whether a configuration would start, and what it would watch. Starts nothing. */
import { loadAnchors } from "../classify/anchors.ts";
import { describeClassifier } from "../classify/configured.ts";
import { guardOptionsProblem } from "../classify/guards/registry.ts";
import { loadScreens } from "../classify/screens.ts";
import { loadConfig } from "../config/load.ts";
import { readSecrets } from "../config/secrets.ts";
import { configError } from "../config/yaml-file.ts";
import { knownIn, loadPolicies } from "../guard/load-policies.ts";
import { loadProbeSet } from "../probe/load-probe-set.ts";
import { type Command, onlyPositional, readFlags } from "./command.ts";

export const check: Command = {
  name: "check",
  usage: "check FILE [--no-secrets]",
  summary: "validate a configuration, its probe sets and its secrets",
  async run(args, { out, env }) {
    const { values, positionals } = readFlags(args, { "no-secrets": { type: "boolean", default: false } });
    const file = onlyPositional(positionals, "a configuration file");
    const config = await loadConfig(file);
    if (!values["no-secrets"]) readSecrets(config, env);
    const { use, screen, guard } = config.classify;
    const wrong = guard === undefined ? null : guardOptionsProblem(guard.kind, guard.options);
    if (wrong !== null) throw configError(file, wrong, "classify.guard.options");
    if (use === "screen" || use === "cascade") await loadScreens(screen);
    await loadAnchors(config.classify.anchors.set);
    const policies = await loadPolicies(config.policies, knownIn(config));
    out(`${file}: valid`);
    for (const { id, models, upstream, route, probes, live } of config.subjects) {
      const where = upstream ?? config.upstreams[0]?.id;
      out(`  subject ${id}: models ${models.join(", ")} at upstream ${where}, base URL ${route ?? ""}/v1`);
      if (probes.enabled) {
        const set = await loadProbeSet(probes.set);
        out(
          `    probes: set ${set.version}, ${probes.perHour} an hour (${probes.calibrationPerHour} while calibrating)`,
        );
      } else {
        out("    probes: off; no persona can be named");
      }
      out(`    live answers: ${live.sampleRate * 100} % judged, at most ${live.maxPerHour} an hour`);
    }
    for (const { id, stage, action, mode } of policies) out(`  policy ${id}: ${action} on the ${stage}, ${mode}`);
    out(`  judged by: ${describeClassifier(config.classify)}`);
    return 0;
  },
};
