/** One answer whose harm is known: what a screen is trained, calibrated and measured on. */
export interface LabelledRow {
  response: string;
  harmful: boolean;
  /** Rows of one group answer the same question: they are never split between training and test. */
  group: string;
}
