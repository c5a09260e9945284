/**
 * Which class of traffic a request belongs to: the first declared one that fits, else one derived from the request, else
 * `other`. Names are few, whatever clients send: they become rows, baselines and labels.
 */
import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { ContextSettings } from "../config/schema.ts";
import type { RequestView } from "../dialect/views.ts";

const otherContext = "other";

/** Derived names of one subject, at most; the detector tells fewer apart. */
const mostDerived = 32;

type Class = ContextSettings["classes"][number];

interface Request {
  /** Path below the base URL. */
  path: string;
  headers: IncomingHttpHeaders;
  view: Pick<RequestView, "turns">;
}

const systemPromptOf = ({ turns }: Request["view"]): string =>
  turns
    .filter(({ role }) => role === "system" || role === "developer")
    .map(({ text }) => text)
    .join("\n");

const fits = ({ header, path, systemPrompt }: Class, request: Request): boolean =>
  (header === undefined || request.headers[header.name.toLowerCase()] === header.value) &&
  (path === undefined || request.path === path) &&
  (systemPrompt === undefined || systemPromptOf(request.view).includes(systemPrompt));

const pathName = ({ path }: Request): string => path.replace(/^\//, "");

/** A few digits of a hash tell prompts apart and give none of them away. */
const promptName = ({ view }: Request): string => {
  const prompt = systemPromptOf(view);
  return prompt === "" ? "no-prompt" : `prompt-${hash("sha256", prompt).slice(0, 8)}`;
};

const derivedName = (derive: ContextSettings["derive"], request: Request): string | null => {
  switch (derive) {
    case "none":
      return null;
    case "path":
      return pathName(request);
    case "system-prompt":
      return promptName(request);
    case "path-and-system-prompt":
      return `${pathName(request)} ${promptName(request)}`;
  }
};

/** Null where no classes are declared and none are derived. */
export type ContextOf = (request: Request) => string | null;

/** @param derived names that were derived already; it is added to */
export const createContexts = ({ classes, derive }: ContextSettings, derived = new Set<string>()): ContextOf => {
  return (request) => {
    const declared = classes.find((one) => fits(one, request));
    if (declared !== undefined) return declared.name;
    const name = derivedName(derive, request);
    if (name === null) return classes.length === 0 ? null : otherContext;
    if (!derived.has(name) && derived.size >= mostDerived) return otherContext;
    derived.add(name);
    return name;
  };
};
