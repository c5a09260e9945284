/** What operators are told: alerts as they stand, and that something changed. Holds no text of any exchange. */
import type { EvidenceName, EvidenceValue, Persona, Severity } from "../persona/verdict.ts";

export interface StandingAlert {
  name: string;
  severity: "page" | "ticket";
  /** Null for alerts on the process itself. */
  subject: string | null;
  /** With `alertname` and `severity`; the same from every replica where it is about a subject. */
  labels: Record<string, string>;
  annotations: { summary: string; description: string; runbook_url: string };
  /** Wall clock, milliseconds since 1970. */
  startsAt: number;
  /** Null while it stands. */
  endsAt: number | null;
}

/** What the verdict said then. */
export interface VerdictSays {
  persona: Persona;
  severity: Severity;
  position: number;
  reasons: readonly string[];
  evidence: Readonly<Record<EvidenceName, EvidenceValue>>;
}

export type Notification = {
  /** The same from every replica, and after a restart, for what is the same in the log. */
  id: string;
  /** Wall clock, milliseconds since 1970. */
  at: number;
  /** Null where it is about no subject. */
  subject: string | null;
  /** Null where it is about no subject. */
  verdict: VerdictSays | null;
} & (
  | { kind: "firing" | "resolved"; alert: StandingAlert }
  | { kind: "verdict"; previous: { persona: Persona; severity: Severity } }
);

/** What came of an attempt, or of a notification for which there is none. */
export const notificationResults = ["delivered", "failed", "refused", "given-up", "dropped"] as const;
export type NotificationResult = (typeof notificationResults)[number];

/** Implementations return at once and never throw. */
export interface NotificationMeter {
  notified(target: string, result: NotificationResult): void;
}
