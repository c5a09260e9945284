/** The decision that stands where none could be made. */
import type { Gap } from "../dialect/carriers.ts";
import type { Decision, Stage } from "./guard.ts";

/** For when deciding itself failed: nothing passes undecided. */
export const failedClosed = (id: string, stage: Stage, gap: Gap | null = null): Decision => ({
  id,
  stage,
  action: "block",
  policy: null,
  asked: [],
  findings: [],
  coverage: "none",
  gaps: gap === null ? [] : [gap],
  edits: [],
  message: null,
  rerouteTo: null,
  unavailable: true,
});
