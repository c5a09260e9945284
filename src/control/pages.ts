/**
 * The dashboard's files, as they lie in `dashboard/`: read once, served from memory, and nothing else. A page may load
 * and call what this port serves, and no other host.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Router } from "express";
import { ApiError, onlyMethods } from "./api-error.ts";

interface Page {
  bytes: Buffer;
  type: string;
  etag: string;
}

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const pageOf = (file: string): Page => {
  const bytes = readFileSync(file);
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { bytes, type: types[extname(file)] ?? "application/octet-stream", etag };
};

const folder = fileURLToPath(new URL("../../dashboard/", import.meta.url));
const packages = createRequire(import.meta.url);
/** A file that lies beside a package's entry. */
const beside = (entry: string, name: string): Page => pageOf(join(dirname(packages.resolve(entry)), name));

const readPages = (): ReadonlyMap<string, Page> =>
  new Map([
    ...readdirSync(folder)
      .filter((name) => extname(name) in types)
      .map((name): [string, Page] => [name, pageOf(join(folder, name))]),
    ["preact.js", beside("htm/preact", "standalone.module.js")],
    ["uplot.js", beside("uplot", "uPlot.esm.js")],
    ["uplot.css", beside("uplot", "uPlot.min.css")],
  ]);

/** Mounted where the pages are to stand; `/` is index.html. */
export const pageRoutes = (): Router => {
  const pages = readPages();
  const routes = Router({ strict: true });
  routes
    .route("/{:name}")
    .get((request, response) => {
      if (request.originalUrl === request.baseUrl) {
        // The page's own links are relative to its folder.
        response.redirect(308, `${request.baseUrl}/`);
        return;
      }
      const page = pages.get(request.params.name ?? "index.html");
      if (page === undefined) throw new ApiError("not_found", "the dashboard has no such file");
      response.setHeader("content-security-policy", contentSecurityPolicy);
      response.setHeader("cache-control", "no-cache");
      response.setHeader("etag", page.etag);
      if (request.headers["if-none-match"] === page.etag) {
        response.status(304).end();
        return;
      }
      response.setHeader("content-type", page.type);
      response.send(page.bytes);
    })
    .all(onlyMethods("GET"));
  return routes;
};
