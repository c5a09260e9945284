/** What can be asked of the demo. The command line and the benches give the same options. */
import { z } from "zod";
import { simulatedPersona } from "./published-rates.ts";

const judgedBy = z.enum(["recorded", "screen"]);

export const demoOptions = z
  .strictObject({
    persona: simulatedPersona
      .optional()
      .describe("what the subject turns into; default: inverted, in a replay coherent"),
    seed: z.number().int().min(0).default(1).describe("reproduces every draw of the simulation"),
    fast: z.boolean().default(false).describe("no pacing: as fast as the machine goes"),
    json: z.boolean().default(false).describe("print one JSON document at the end and nothing else"),
    stay: z.boolean().default(false).describe("goes on after the story, for the dashboard, until it is interrupted"),
    keep: z.string().min(1).optional().describe("existing or new folder that keeps the evidence log"),
    outputs: z
      .array(z.string().min(1))
      .default([])
      .describe("recorded outputs to replay, one file a step, in this order"),
    calibrate: z.array(z.string().min(1)).default([]).describe("recorded outputs of the healthy model"),
    perStep: z.number().int().min(50).default(600).describe("most answers replayed of each file"),
    judgedBy: judgedBy
      .default("recorded")
      .describe("recorded: the scores in the file; screen: the embedded classifier"),
  })
  .refine(({ outputs, calibrate }) => (outputs.length === 0) === (calibrate.length === 0), {
    error: "a replay needs both: --outputs with the files to play, and --calibrate with the files of the healthy model",
  })
  .refine(({ stay, outputs, json }) => !stay || (outputs.length === 0 && !json), {
    path: ["stay"],
    error: "--stay goes with the simulated model and with output for people: leave out --outputs and --json",
  });
export type DemoOptions = z.output<typeof demoOptions>;

/** 0: named rightly. 1: it was not. 2: could not run. */
export type DemoExit = 0 | 1 | 2;
