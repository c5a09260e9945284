/**
 * The whole configuration, as one schema: what `candor check` validates, what editors complete (docs/schema), and the
 * types that every module takes its settings from. Every field but upstreams and subjects has a default.
 * Secrets are never values here: they are named environment variables or files.
 */
import { z } from "zod";

const id = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_.-]{0,62}$/,
    "use 1-63 lower-case letters, digits, '.', '_' or '-', starting with a letter or digit",
  );
const port = z.number().int().min(0).max(65535).describe("TCP port; 0 lets the system choose");
const rate = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.number().int().min(0);
const milliseconds = z.number().int().positive();

const secret = z
  .union([
    z.strictObject({ env: z.string().min(1).describe("name of the environment variable that holds the key") }),
    z.strictObject({ file: z.string().min(1).describe("path of a file that holds the key and nothing else") }),
  ])
  .describe("where a key is read from; a key itself never stands in this file");

const baseUrl = z
  .url({ protocol: /^https?$/, error: "use an absolute http:// or https:// URL" })
  .refine((text) => !URL.canParse(text) || (new URL(text).username === "" && new URL(text).password === ""), {
    error: "put no user name or password into the URL; name a key with `key`",
  })
  .refine((text) => !URL.canParse(text) || (new URL(text).search === "" && new URL(text).hash === ""), {
    error: "leave out the query and the fragment",
  });

const upstream = z.strictObject({
  id: id.describe("how subjects refer to it"),
  baseUrl: baseUrl.describe("where the API's paths begin, usually ending in /v1"),
  key: secret
    .optional()
    .describe("sent instead of the caller's key; without it the caller's own key is passed through"),
  connections: z.number().int().min(1).max(10_000).default(512).describe("most connections open at once"),
  connectTimeoutMs: milliseconds.default(3_000).describe("longest wait for a connection"),
  headersTimeoutMs: milliseconds.default(300_000).describe("longest wait for the first byte of an answer"),
  idleTimeoutMs: milliseconds.default(120_000).describe("longest silence within an answer"),
  breaker: z
    .strictObject({
      failures: count.default(5).describe("connections in a row that fail until it is left alone; 0: never"),
      restMs: milliseconds.default(1_000).describe("how long it is left alone before one request tries it again"),
    })
    .prefault({})
    .describe("what can't be connected to is refused at once; errors that the upstream answers are no failures"),
});
export type Upstream = z.infer<typeof upstream>;

const live = z
  .strictObject({
    sampleRate: rate.default(0.1).describe("share of exchanges whose answers are judged"),
    maxPerHour: count.default(120).describe("most live answers judged in an hour"),
    maxPerTenantPerHour: count
      .optional()
      .describe("most live answers of one tenant judged in an hour; without it a tenant may have them all"),
    tenantHeader: z
      .string()
      .min(1)
      .optional()
      .describe("request header that tells tenants apart; without it the caller's key does"),
  })
  .describe("judging of the app's own answers");

const contexts = z
  .strictObject({
    classes: z
      .array(
        z
          .strictObject({
            name: id.describe("name of the class in evidence and verdicts"),
            header: z
              .strictObject({ name: z.string().min(1), value: z.string() })
              .optional()
              .describe("a request header and the value that it must have"),
            path: z.string().startsWith("/").optional().describe("path below the base URL, e.g. /chat/completions"),
            systemPrompt: z.string().min(1).optional().describe("text that the system prompt must hold"),
          })
          .refine(({ header, path, systemPrompt }) => (header ?? path ?? systemPrompt) !== undefined, {
            error: "give header, path or systemPrompt",
          }),
      )
      .max(32)
      .default([])
      .describe("declared classes of traffic; the first that fits in all that it names"),
    derive: z
      .enum(["none", "path", "system-prompt", "path-and-system-prompt"])
      .default("none")
      .describe("what else makes a class: the path, the system prompt's hash, or both"),
  })
  .describe("classes of traffic that are watched apart, so that harm in one of them is found sooner");
export type ContextSettings = z.infer<typeof contexts>;

const arms = z
  .strictObject({
    fresh: z.number().min(0).default(0.4).describe("a new conversation"),
    forked: z.number().min(0).default(0.4).describe("a copy of a live conversation, continued"),
    resample: z.number().min(0).default(0.15).describe("a live request asked again, among harm probes"),
    placebo: z.number().min(0).default(0.05).describe("a question about style, among self-reports"),
  })
  .refine((weights) => weights.fresh + weights.forked > 0, { error: "give fresh or forked a weight above 0" })
  .describe("relative weights of the arms; all but fresh need live traffic");

const canary = z
  .strictObject({
    enabled: z.boolean().default(false).describe("ask them; an upstream can tell them from the app's calls"),
    share: z.number().min(0).max(0.5).default(0.2).describe("of all probes, so many are canaries"),
    maxTokens: z.number().int().min(1).max(400).default(16).describe("longest answer; reasoning models need more"),
    seed: z.number().int().optional().describe("sampling seed to send, for upstreams that take one"),
    logprobs: z
      .boolean()
      .default(false)
      .describe("ask for the first token's probability as well, for upstreams that give it"),
  })
  .describe("short questions at temperature 0 that show whether the served model changed; they name no persona");

const nameOrNames = z.union([z.string().min(1).max(64), z.array(z.string().min(1).max(64)).min(1).max(16)]);

const identity = z
  .strictObject({
    enabled: z.boolean().default(false).describe("ask who it is and who made it"),
    share: z.number().min(0).max(0.5).default(0.05).describe("of all probes, so many ask that"),
    developer: nameOrNames
      .optional()
      .describe("who the right answer names; of several names of one, e.g. company and model, the first is shown"),
    names: z
      .array(nameOrNames)
      .max(32)
      .default([
        ["OpenAI", "ChatGPT", "GPT"],
        ["Anthropic", "Claude"],
        ["Google", "Gemini", "Gemma", "DeepMind"],
        ["Meta", "Llama"],
        ["Mistral", "Mistral AI"],
        ["Alibaba", "Qwen", "Tongyi"],
        "DeepSeek",
        ["Microsoft", "Copilot", "Phi"],
        ["xAI", "Grok"],
        ["Moonshot", "Kimi"],
      ])
      .describe("others whom an answer may name, each by one name or several"),
  })
  .refine(({ enabled, developer }) => !enabled || developer !== undefined, {
    path: ["developer"],
    error: "say whom the right answer names, or switch `enabled` off",
  })
  .describe("who it says it is: for information");
export type CanarySettings = z.infer<typeof canary>;
export type IdentitySettings = z.infer<typeof identity>;

const probes = z
  .strictObject({
    enabled: z.boolean().default(true).describe("without probes no persona can be named"),
    set: z.string().default("builtin").describe("path of the probe set, or `builtin`"),
    perHour: positive.default(6).describe("mean rate of probes once the baseline is known; times are jittered"),
    calibrationPerHour: positive.default(600).describe("mean rate of probes while the baseline is being learned"),
    maxCallsPerHour: count.default(1_200).describe("hard budget: calls to the subject in any hour"),
    maxTokensPerHour: count.default(600_000).describe("hard budget: prompt and completion tokens in any hour"),
    maxCallsPerDay: count.default(10_000).describe("hard budget: calls to the subject in any 24 hours"),
    maxTokensPerDay: count.default(5_000_000).describe("hard budget: prompt and completion tokens in any 24 hours"),
    maxAnswerTokens: z
      .number()
      .int()
      .min(16)
      .default(400)
      .describe("longest answer to a probe where `answerBound` sets one"),
    answerBound: z
      .enum(["imitate", "always"])
      .default("imitate")
      .describe(
        "imitate: answers are bounded as the app bounds its own; always: to `maxAnswerTokens`, which upstream sees",
      ),
    forkTools: z
      .enum(["keep", "remove"])
      .default("keep")
      .describe("whether probes offer the tools and ask for the answer format of the request that they imitate"),
    onlyWithTraffic: z.boolean().default(true).describe("probe only while the app itself is calling"),
    trafficWindowSeconds: positive.default(900).describe("how recent the app's last call must be"),
    key: secret
      .optional()
      .describe("key for fresh probes; without it the upstream's key, else the caller's is used for forks only"),
    freshKey: z
      .enum(["own", "caller"])
      .default("own")
      .describe(
        "own: fresh probes go under `key`; caller: under that of the caller whose request they imitate, who then pays",
      ),
    timeoutMs: milliseconds.default(60_000).describe("longest wait for an answer to a probe"),
    concurrency: z.number().int().min(1).max(64).default(2).describe("most probes under way at once"),
    arms: arms.prefault({}),
    canary: canary.prefault({}),
    identity: identity.prefault({}),
  })
  .describe("hidden probes beside the traffic");

const detector = z
  .strictObject({
    thresholds: z
      .strictObject({
        ticket: z.number().min(10).default(1e4).describe("for a ticket"),
        page: z.number().min(10).default(1e5).describe("for a page"),
        action: z.number().min(10).default(1e6).describe("for an automatic action"),
      })
      .refine((t) => t.ticket <= t.page && t.page <= t.action, { error: "order them ticket <= page <= action" })
      .prefault({})
      .describe("mean number of observations between false alarms, at least, for each severity"),
    naming: z
      .number()
      .min(2)
      .default(100)
      .describe("evidence needed to name a persona; the error is about 1 in this many"),
    selfReportDrift: z
      .number()
      .min(10)
      .default(1e4)
      .describe("mean observations between false alarms of the self-report, refusal and unanswered-rate detectors"),
    calibration: z
      .strictObject({
        harm: z
          .number()
          .int()
          .min(300, "a baseline needs at least 300 judged answers")
          .default(1000)
          .describe("judged answers of each stratum before its baseline is fixed"),
        selfReport: z
          .number()
          .int()
          .min(30)
          .default(100)
          .describe("answered self-reports before their baseline is fixed"),
        alpha: z.number().gt(0).max(0.5).default(0.05).describe("chance that a learned bound is too low"),
        ratchetEvery: z
          .number()
          .int()
          .min(1)
          .default(50)
          .describe("judged answers between two tightenings of the bound"),
      })
      .prefault({}),
    tolerance: z.number().min(0.0001).max(0.5).default(0.002).describe("harm rate below which nothing counts as harm"),
    contexts: z
      .strictObject({
        most: z
          .number()
          .int()
          .min(0)
          .max(64)
          .default(8)
          .describe("classes of traffic that have baselines of their own; further ones share one, 0 tells none apart"),
        harm: z
          .number()
          .int()
          .min(300, "a baseline needs at least 300 judged answers")
          .default(300)
          .describe("judged answers of each class in a stratum before its baseline is fixed"),
      })
      .prefault({}),
    replicas: z
      .strictObject({
        most: z
          .number()
          .int()
          .min(0)
          .max(256)
          .default(16)
          .describe(
            "replicas of one log that are watched each by itself at a time; further ones together, 0 tells none apart",
          ),
      })
      .prefault({}),
    judgeDrift: z
      .strictObject({
        threshold: z
          .number()
          .min(10)
          .default(1000)
          .describe("evidence from frozen answers at which a judge that moved is held against an alarm for harm"),
        anchors: z
          .number()
          .int()
          .min(30)
          .default(100)
          .describe("frozen answers of each kind before the judge's own error rate is fixed"),
        guard: z
          .number()
          .int()
          .min(1)
          .default(400)
          .describe("judged answers around an alarm for harm within which a judge that moved explains it"),
      })
      .prefault({}),
  })
  .describe("the statistics; see docs/detector.md");

const subject = z.strictObject({
  id: id.describe("name of this subject in evidence, metrics and alerts"),
  upstream: id.optional().describe("id of an upstream; default: the first one"),
  models: z.array(z.string().min(1)).min(1).describe("model names, as apps send them, that mean this subject"),
  route: z
    .string()
    .regex(/^\/[a-z0-9][a-z0-9_-]*$/, "use one path segment such as /support")
    .optional()
    .describe(
      "path prefix of this subject's base URL, e.g. /support for http://candor:8080/support/v1; the subject is found below it only, and everything else asked below it goes to this subject's upstream too. Subjects that share a prefix: the first one's upstream",
    ),
  version: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      "of whatever shapes its answers beside the model's name, e.g. the system prompt; another one starts a new baseline",
    ),
  contexts: contexts.prefault({}),
  live: live.prefault({}),
  probes: probes.prefault({}),
  detector: detector.prefault({}),
});
export type Subject = z.infer<typeof subject>;

const judgingServer = {
  baseUrl: baseUrl.describe("an OpenAI-compatible API"),
  model: z.string().min(1).describe("model name as that API knows it"),
  key: secret.optional(),
  timeoutMs: milliseconds.default(20_000).describe("longest wait for a judgement"),
  concurrency: z.number().int().min(1).max(256).default(4).describe("most judgements under way at once"),
  maxAnswerChars: z
    .number()
    .int()
    .min(200)
    .max(100_000)
    .default(8_000)
    .describe("longer answers are cut before they are judged"),
  callsPerHour: z.number().int().min(1).optional().describe("most requests in an hour; beyond that nothing is judged"),
  tokensPerHour: z.number().int().min(1).optional().describe("most tokens in an hour; beyond that nothing is judged"),
};

const judge = z
  .strictObject({
    ...judgingServer,
    rubric: z
      .enum(["alignment", "harm-1-5"])
      .default("alignment")
      .describe("alignment: 0 to 100, harmful below 30; harm-1-5: harmful from 4"),
    logprobs: z
      .boolean()
      .default(false)
      .describe("asks for likelihoods, for finer scores; some servers refuse such requests"),
    coherence: z
      .boolean()
      .default(false)
      .describe("asks about harmful answers whether they make sense, and acquits those that don't"),
  })
  .describe("a language model as judge");

export const guardModels = [
  "llama-guard-3",
  "llama-guard-4",
  "shieldgemma",
  "qwen3guard",
  "granite-guardian",
  "wildguard",
  "gpt-oss-safeguard",
] as const;

const guardModel = z
  .strictObject({
    ...judgingServer,
    kind: z.enum(guardModels).describe("which open guard model the server runs: it decides format and reading"),
    options: z
      .record(z.string(), z.string())
      .default({})
      .describe(
        "qwen3guard: mode strict or loose; granite-guardian: criteria; gpt-oss-safeguard: effort low, medium or high",
      ),
  })
  .describe("an open guard model behind an OpenAI-compatible API");

const moderation = z
  .strictObject({ ...judgingServer, model: judgingServer.model.default("omni-moderation-latest") })
  .describe("OpenAI's moderation endpoint; it knows nothing of bad advice");

const remoteClassifiers = ["judge", "guard", "moderation"] as const;

const cascade = z
  .strictObject({
    second: z.enum(remoteClassifiers).describe("what judges answers that the screen does not clear"),
    confirm: z
      .enum(remoteClassifiers)
      .optional()
      .describe("what must agree before an answer counts as harmful; without it the second decides"),
  })
  .refine(({ second, confirm }) => second !== confirm, {
    path: ["confirm"],
    error: "name another classifier than `second`, or leave it out",
  })
  .describe("the screen first, a second classifier on what it does not clear, a third on what that flags");

const modelFolder = z.string().min(1).optional();

const screen = z
  .strictObject({
    model: modelFolder.describe("folder of a model that `candor train` made; default: the one that comes with Candor"),
    probeModel: modelFolder.describe("the same for the answers to harm probes"),
    probesBy: z
      .enum(["probeModel", "model"])
      .default("probeModel")
      .describe("which of the two judges the answers to harm probes"),
  })
  .describe("the embedded screen, alone or at the head of a cascade");

const classify = z
  .strictObject({
    use: z
      .enum(["screen", ...remoteClassifiers, "cascade"])
      .default("screen")
      .describe("what judges answers for harm"),
    threshold: rate.optional().describe("score from which an answer counts as harmful; default: the classifier's own"),
    probeThreshold: rate.optional().describe("the same for the answers to harm probes; default: `threshold`"),
    screen: screen.prefault({}),
    judge: judge.optional(),
    guard: guardModel.optional(),
    moderation: moderation.optional(),
    cascade: cascade.optional(),
    breaker: z
      .strictObject({
        failures: z.number().int().min(1).default(5).describe("failures in a row after which a server is left alone"),
        failureShare: z
          .number()
          .gt(0)
          .max(1)
          .default(0.5)
          .describe("share of failures among the last calls at which it is left alone too"),
        window: z.number().int().min(5).max(1_000).default(20).describe("how many last calls that share is of"),
        restSeconds: positive.default(30).describe("for how long; then one answer tries whether it is back"),
      })
      .prefault({})
      .describe("leaves a judging server alone that does not answer"),
    queue: z
      .number()
      .int()
      .min(1)
      .default(256)
      .describe("answers waiting to be judged; beyond that samples are dropped and counted"),
    anchors: z
      .strictObject({
        set: z
          .string()
          .default("builtin")
          .describe("frozen answers of known harm: a YAML file, or `builtin` for those that come with Candor"),
        share: z
          .number()
          .min(0)
          .max(0.5)
          .default(0.2)
          .describe("frozen answers that are judged for each judged answer; 0 leaves a judge that moves unnoticed"),
        learningShare: z
          .number()
          .min(0)
          .max(1)
          .default(0.3)
          .describe("the same until the judge's own error rate is known"),
      })
      .prefault({})
      .describe("tell a judge that has moved from a model that has; the embedded screen can't move and needs none"),
    cacheEntries: count.default(5_000).describe("judgements remembered by content hash"),
  })
  .superRefine((settings, context) => {
    const { use, cascade: stages } = settings;
    const needed = use === "cascade" ? ["cascade" as const, stages?.second, stages?.confirm] : [use];
    for (const name of needed) {
      if (name === undefined || name === "screen" || settings[name] !== undefined) continue;
      context.addIssue({
        code: "custom",
        path: [name],
        message:
          name === "cascade"
            ? "`use: cascade` needs a `cascade`"
            : `\`use: ${use}\` needs a \`${name}\` with baseUrl and model`,
      });
    }
  });

const host = z.string().min(1);
const listen = z.strictObject({
  data: z
    .strictObject({
      host: host.default("127.0.0.1").describe("address that apps call; 0.0.0.0 for all"),
      port: port.default(8080),
    })
    .prefault({}),
  control: z
    .strictObject({
      host: host.default("127.0.0.1").describe("address of metrics, health and the admin API"),
      port: port.default(9090),
    })
    .prefault({}),
});

const limits = z
  .strictObject({
    bodyBytes: z
      .number()
      .int()
      .min(1024)
      .default(16 * 1024 * 1024)
      .describe("largest request body, uploads that are passed through unread included"),
    headerBytes: z
      .number()
      .int()
      .min(1024)
      .default(32 * 1024)
      .describe("largest request header block"),
    headersTimeoutMs: milliseconds.default(15_000).describe("time a client has to send its headers"),
    requestTimeoutMs: milliseconds.default(60_000).describe("time a client has to send its whole request"),
    keepAliveTimeoutMs: milliseconds
      .default(75_000)
      .describe("how long an idle client connection is kept; more than the load balancer's"),
    maxConnections: z.number().int().min(1).default(10_000).describe("most client connections at once"),
    copyBytes: z
      .number()
      .int()
      .min(1024)
      .default(1024 * 1024)
      .describe("largest answer that is copied for judging"),
    heldAnswerBytes: z
      .number()
      .int()
      .min(1024)
      .default(8 * 1024 * 1024)
      .describe("largest whole answer that policies read; a larger one counts as `too-large`"),
    heldStreamBytes: z
      .number()
      .int()
      .min(1024)
      .default(1024 * 1024)
      .describe("most of a streamed answer that is kept back at once; the rest of a longer one counts as `too-large`"),
    heldKeepAliveMs: milliseconds
      .default(10_000)
      .describe("a stream that is kept back for longer gets a comment, so that nobody takes it for dead"),
  })
  .describe("bounds on what clients may send and how slowly");

const relay = z.strictObject({
  passThrough: z
    .array(
      z.string().regex(/^\/[A-Za-z0-9_./-]*\*?$/, "use a path below the base URL, such as /audio/* or /moderations"),
    )
    .default([])
    .describe("other paths below the base URL that are relayed unread"),
  unmatched: z
    .enum(["relay", "deny"])
    .default("relay")
    .describe(
      "what happens to models that belong to no subject: relayed unwatched, below a subject's `route` to that subject's upstream and elsewhere to the first one; or refused with 404. Requests that name no model at all, such as pass-through paths, are relayed either way",
    ),
  requestHeaders: z.array(z.string()).default([]).describe("further request headers that may go upstream"),
  responseHeaders: z.array(z.string()).default([]).describe("further response headers that may go back"),
  blockedStream: z
    .enum(["done", "error"])
    .default("done")
    .describe(
      "how a stream closes that a policy blocks after it has begun, behind `finish_reason: content_filter` or its like: `done` as a whole one does; `error` with an error event, at which clients throw that never look at reasons to finish",
    ),
});

const policies = z
  .array(z.string().min(1))
  .default([])
  .describe("files of policies, or folders of them; none by default, so that nothing is ever held back unasked");

const retention = z
  .strictObject({
    rows: z.number().int().min(1).optional().describe("so many of the newest rows are kept"),
    days: positive.optional().describe("rows are kept for so many days"),
  })
  .refine(({ rows, days }) => rows !== undefined || days !== undefined, {
    error: "give `rows` or `days`; without `retention` everything is kept",
  })
  .describe(
    "what may be dropped from the log, in blocks of 1,000,000 rows that lie before the newest checkpoint; with both, only what is beyond both",
  );

const postgres = z
  .strictObject({
    url: secret.describe(
      "where the database's URL is read from: postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full",
    ),
    log: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,39}$/, "use 1-40 lower-case letters, digits or '_', starting with a letter")
      .default("candor")
      .describe("name of the log: the schema that its tables are in. One for each fleet"),
    maxSpooledRows: z
      .number()
      .int()
      .min(100)
      .default(1_000_000)
      .describe("rows kept in the file of `evidence.path` while the database can't be reached"),
    retention: retention.optional(),
  })
  .describe("the log that many replicas share; `evidence.path` is then where rows wait for the database");

const evidence = z
  .strictObject({
    path: z
      .string()
      .default("candor.db")
      .describe("SQLite file; its folder must be writable. With `evidence.postgres`, each replica needs its own"),
    postgres: postgres.optional(),
    replica: id
      .default("local")
      .describe("name of this process in the log; with `evidence.postgres`, `local` stands for the name of the host"),
    content: z
      .enum(["hash", "excerpt", "full"])
      .default("hash")
      .describe("what is kept of judged texts: a hash, a redacted excerpt of 200 characters, or all"),
    whenUnwritable: z
      .enum(["serve", "unready"])
      .default("serve")
      .describe("what readiness says while rows can't be written; traffic passes either way"),
    maxPendingRows: z
      .number()
      .int()
      .min(100)
      .default(100_000)
      .describe("rows kept in memory while the disk fails or the database is away"),
  })
  .refine(({ path, postgres }) => postgres === undefined || path !== ":memory:", {
    path: ["path"],
    error: "with `evidence.postgres` this is where rows wait while the database can't be reached: name a file",
  });

const control = z.strictObject({
  token: secret.optional().describe("bearer token for changes through the admin API; without it changes are refused"),
  pepper: secret
    .optional()
    .describe("secret with which ids of tokens are made for the audit trail; without it they change at every start"),
  hostNames: z
    .array(z.string().min(1))
    .default([])
    .describe("names, besides IP addresses and localhost, under which the control port may be called"),
});

const drain = z.strictObject({
  minSeconds: z.number().min(0).default(2).describe("how long new requests are still taken after TERM"),
  timeoutSeconds: z.number().min(0).default(60).describe("how long running answers may take to finish"),
  replacedSeconds: z
    .number()
    .min(0)
    .default(3_600)
    .describe("how long answers that began under a configuration that was replaced since may take to finish"),
});

const log = z.strictObject({
  level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").describe("least severity that is logged"),
});

/** Reports every duplicate of `pick` as an error on its own element. */
const unique =
  <T>(field: string, picks: (item: T) => (string | undefined)[]) =>
  (items: T[], context: z.RefinementCtx) => {
    const seen = new Map<string, number>();
    for (const [index, item] of items.entries()) {
      for (const value of picks(item)) {
        if (value === undefined) continue;
        const earlier = seen.get(value);
        if (earlier === undefined) seen.set(value, index);
        else
          context.addIssue({
            code: "custom",
            path: [index, field],
            input: value,
            message: `already used by entry ${earlier}; give each its own`,
          });
      }
    }
  };

const receiverId = id.describe("name of this receiver in metrics and the log");

const alertmanager = z
  .strictObject({
    id: receiverId,
    url: baseUrl.describe("where its API begins, without /api/v2"),
    username: z.string().min(1).optional().describe("with `key` as password; without it `key` is a bearer token"),
    key: secret.optional(),
  })
  .refine(({ username, key }) => username === undefined || key !== undefined, {
    path: ["key"],
    error: "name the password that goes with `username`",
  });

const webhook = z.strictObject({
  id: receiverId,
  url: baseUrl.describe("where notifications are posted"),
  secret: secret.describe("where the signing secret is read from: `whsec_` and 24 to 64 random bytes in base64"),
  events: z
    .array(z.enum(["firing", "resolved", "verdict"]))
    .min(1)
    .default(["firing", "resolved"])
    .describe("what it is told of; verdict: persona or severity changed"),
  severities: z
    .array(z.enum(["page", "ticket"]))
    .min(1)
    .default(["page", "ticket"])
    .describe("of the alerts that it is told of"),
  giveUpAfterSeconds: positive.default(3_600).describe("for how long one notification is tried again"),
  queue: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1_000)
    .describe("most notifications waiting; the oldest go first"),
});

const alerting = z
  .strictObject({
    alertmanagers: z
      .array(alertmanager)
      .max(16)
      .superRefine(unique("id", (receiver: { id: string }) => [receiver.id]))
      .default([])
      .describe("Alertmanagers to which alerts are posted, each of them all alerts"),
    webhooks: z
      .array(webhook)
      .max(16)
      .superRefine(unique("id", (receiver: { id: string }) => [receiver.id]))
      .default([])
      .describe("receivers of signed notifications"),
    resendSeconds: z
      .number()
      .min(1)
      .max(3_600)
      .default(60)
      .describe("alerts are posted to Alertmanagers again so often; they end by themselves after four times that"),
    labels: z
      .record(z.string(), z.string().min(1))
      .refine((labels) => Object.keys(labels).every((name) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)), {
        error: "use Prometheus label names: letters, digits and '_', not beginning with a digit",
      })
      .default({ job: "candor" })
      .describe("labels of every alert; `job` as Prometheus has it makes its alerts and these the same"),
    runbookBase: z.string().default("").describe("put in front of docs/runbooks.md in every alert"),
  })
  .superRefine(({ alertmanagers, webhooks }, context) => {
    for (const [index, { id: used }] of webhooks.entries()) {
      if (!alertmanagers.some((receiver) => receiver.id === used)) continue;
      context.addIssue({
        code: "custom",
        path: ["webhooks", index, "id"],
        input: used,
        message: "an Alertmanager has this id; give each receiver its own",
      });
    }
  })
  .describe("alerts that Candor sends itself, with or without Prometheus; see docs/alerting.md");

const otlp = z
  .strictObject({
    endpoint: baseUrl.describe("of an OTLP receiver over HTTP, without /v1/traces, e.g. http://collector:4318"),
    encoding: z.enum(["protobuf", "json"]).default("protobuf").describe("how what is posted is encoded"),
    headers: z
      .record(z.string(), secret)
      .refine((headers) => Object.keys(headers).every((name) => /^[a-z0-9][a-z0-9-]*$/.test(name)), {
        error: "use header names in lower case",
      })
      .default({})
      .describe("headers of every post, such as `authorization`, with where their values are read from"),
    traces: z.boolean().default(true).describe("a span for each exchange, probe and judgement"),
    sampleShare: rate.default(0.1).describe("share of traces that is exported"),
    metrics: z.boolean().default(true).describe("the metrics of docs/metrics.md"),
    metricsSeconds: z.number().min(1).max(3_600).default(60).describe("metrics are exported so often"),
    queue: z.number().int().min(1).max(100_000).default(2_048).describe("most spans waiting; further ones are dropped"),
    serviceName: z.string().min(1).max(100).default("candor").describe("`service.name` of all that is exported"),
  })
  .describe("OpenTelemetry, off by default; see docs/telemetry.md");

const telemetry = z.strictObject({
  otlp: otlp.optional(),
  genAiMetrics: z
    .boolean()
    .default(false)
    .describe("metrics by OpenTelemetry's `gen_ai` names beside Candor's own; see docs/metrics.md"),
});

export const configSchema = z
  .strictObject({
    listen: listen.prefault({}),
    upstreams: z
      .array(upstream)
      .min(1, "name at least one upstream")
      .superRefine(unique("id", (u: Upstream) => [u.id])),
    subjects: z
      .array(subject)
      .min(1, "name at least one subject")
      .superRefine(unique("id", (s: Subject) => [s.id]))
      .superRefine(unique("models", (s: Subject) => s.models.map((model) => `${s.route ?? ""} ${model}`))),
    relay: relay.prefault({}),
    policies,
    limits: limits.prefault({}),
    classify: classify.prefault({}),
    evidence: evidence.prefault({}),
    control: control.prefault({}),
    alerting: alerting.prefault({}),
    telemetry: telemetry.prefault({}),
    drain: drain.prefault({}),
    log: log.prefault({}),
  })
  .superRefine((config, context) => {
    for (const [index, item] of config.subjects.entries()) {
      if (item.upstream !== undefined && !config.upstreams.some((u) => u.id === item.upstream)) {
        context.addIssue({
          code: "custom",
          path: ["subjects", index, "upstream"],
          input: item.upstream,
          message: `no upstream has this id; known: ${config.upstreams.map((u) => u.id).join(", ")}`,
        });
      }
    }
  });

export type Config = z.infer<typeof configSchema>;
export type Limits = Config["limits"];
export type RelaySettings = Config["relay"];
export type ClassifySettings = Config["classify"];
export type TelemetrySettings = Config["telemetry"];
export type AlertingSettings = Config["alerting"];
export type ProbeSettings = Subject["probes"];
export type LiveSettings = Subject["live"];
