/**
 * Reads a request's target strictly. A path that two servers could read differently (doubled slashes, dot segments,
 * encoded slashes, parameters behind a semicolon) is not repaired but refused: what the route table decides on must be
 * what the upstream sees.
 */

export interface Target {
  path: string;
  /** With its `?`; empty when there is no query. */
  search: string;
}

const plainPath = /^\/$|^(?:\/(?:[A-Za-z0-9_~.:@!$&'()*+,=-]|%[0-9A-Fa-f]{2})+)+$/;
const plainSearch = /^\?[!"$-~]*$/;
/** Encodings of what could have been written plainly, of separators, and of control characters. */
const trickyEncoding = /%(?:[01][0-9a-f]|2[de]|3[0-9]|4[1-9a-f]|5[0-9a]|5f|6[1-9a-f]|7[0-9ae]|7f|25|5c|3b|23|3f)/i;
const dotSegment = /(?:^|\/|%2f)\.{1,2}(?:$|\/|%2f)/i;

const isUtf8 = (path: string): boolean => {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
};

/** Null when the target is not in canonical form. `%2F` passes here; the route table decides where it may stand. */
export const readTarget = (url: string): Target | null => {
  const mark = url.indexOf("?");
  const path = mark === -1 ? url : url.slice(0, mark);
  const search = mark === -1 ? "" : url.slice(mark);
  if (!plainPath.test(path) || trickyEncoding.test(path) || dotSegment.test(path) || !isUtf8(path)) {
    return null;
  }
  if (search !== "" && !plainSearch.test(search)) return null;
  return { path, search: search === "?" ? "" : search };
};
