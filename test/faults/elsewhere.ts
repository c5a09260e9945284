/** Rows of the fault matrix that tests of other folders force, each with its target; and rows that nothing here forces. */

interface Elsewhere {
  row: number;
  fault: string;
  target: string;
  file: string;
  /** Part of the name of the tests. */
  name: string;
}

export const elsewhere: readonly Elsewhere[] = [
  {
    row: 1,
    fault: "the upstream can't be connected to, five times in a row",
    target: "from then on 503 at once with Retry-After; tried again by one request; open again as soon as it answers",
    file: "test/relay/upstream-breaker.test.ts",
    name: "an upstream that can't be reached",
  },
  {
    row: 5,
    fault: "streams in arbitrary pieces, in every dialect, redacted or blocked",
    target: "the verdict of the whole answer; no byte after a blocked span began",
    file: "test/relay/guarded-answer.test.ts",
    name: "a streamed answer",
  },
  {
    row: 6,
    fault: "a client leaves an answer, before its first byte or within it",
    target: "the upstream knows within 100 ms",
    file: "test/relay/abort-latency.test.ts",
    name: "is known to the upstream within 100 ms",
  },
  {
    row: 10,
    fault: "the judge is down, slow, answers garbage, fails or breaks off, under policies that block; 10,000 answers",
    target: "0 answers get through",
    file: "test/relay/guarded-leaks.test.ts",
    name: "with a judge that is",
  },
  {
    row: 10,
    fault: "a server that fails is left alone, and tried again with one text",
    target: "open after 5 failures in a row",
    file: "test/kernel/breaker.test.ts",
    name: "after failures in a row the server is left alone",
  },
  {
    row: 12,
    fault: "kill -9 of a process that writes evidence without pause, five times",
    target: "the chain is intact; at most 100 rows or 50 ms are lost",
    file: "test/evidence/kill.test.ts",
    name: "a killed writer loses at most 100 rows or 50 ms",
  },
  {
    row: 13,
    fault: "a write is refused because the disk is full",
    target: "nothing of the batch is written; the same batch is taken once there is room",
    file: "test/evidence/opening.test.ts",
    name: "a disk that is full",
  },
  {
    row: 16,
    fault: "the clock of the scheduler of probes jumps by an hour and by 30 days",
    target: "at most one extra probe",
    file: "test/probe/scheduler.test.ts",
    name: "makes at most one extra probe",
  },
  {
    row: 20,
    fault: "malformed HTTP in seven ways, each followed by a request that is to be smuggled in",
    target: "one 400, and the connection closes",
    file: "test/relay/refusals.test.ts",
    name: "malformed HTTP",
  },
  {
    row: 24,
    fault: "every shipped alert",
    target: "fires and resolves in promtool",
    file: "test/alert/rules.test.ts",
    name: "that every alert fires and resolves",
  },
  {
    row: 24,
    fault: "a model turns; real Candor, Prometheus and Alertmanager",
    target: "the page arrives within 2 minutes, and ends within 2 minutes of its acknowledgement",
    file: "test/deploy/closed-loop.test.ts",
    name: "a model that turns reaches a webhook as a page",
  },
];

export const notMeasured: readonly { row: number; why: string }[] = [
  { row: 11, why: "there are no workers that could crash: everything is judged on the one event loop or by a server." },
  { row: 22, why: "`bench/soak/run.ts`, with what it showed in `bench/results/soak.md`." },
  { row: 23, why: "the corpora are tried in `test/guard` and `test/classify`; their figures are in `bench/results`." },
];
