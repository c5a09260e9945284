import type { StreamedEvent } from "../dialect/streamed-texts.ts";
import type { StreamGuard } from "../guard/guard.ts";

/** Gives a guard the texts of an event; what of it could not be read is for the caller to tell. */
export const pushEvent = (guard: StreamGuard, { pieces, closed }: StreamedEvent): void => {
  // A call without arguments is a call all the same.
  for (const { place, fresh } of pieces) if (fresh !== "" || place.tool !== null) guard.push(place, fresh);
  for (const place of closed) guard.close(place);
};
