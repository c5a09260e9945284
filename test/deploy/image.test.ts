import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const dockerfile = readFileSync("Dockerfile", "utf8");
const lastStage = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));

describe("the image", () => {
  test("is made from scratch, runs as nobody, and its process gets signals itself", () => {
    expect(lastStage).toMatch(/^FROM scratch$/m);
    expect(lastStage).toMatch(/^USER 65532:65532$/m);
    expect(lastStage).toMatch(/^ENTRYPOINT \["node", ("--[a-z0-9=-]+", )*"\/candor\/dist\/cli\.js"\]$/m);
    expect(lastStage).toMatch(/^CMD \["serve", /m);
    expect(lastStage).toMatch(/^HEALTHCHECK .*\\\n {2}CMD \[/m);
    expect(lastStage).not.toMatch(/^RUN/m);
  });

  test("is built of what .dockerignore lets in, and of nothing else", () => {
    const allowed = readFileSync(".dockerignore", "utf8").trim().split("\n");
    expect(allowed[0]).toBe("*");
    const named = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = ""]) =>
      sources.split(" "),
    );
    expect(allowed.slice(1).sort()).toEqual(named.map((source) => `!${source}`).sort());
    expect(named.filter((source) => !existsSync(source))).toEqual([]);
  });

  test("installs exactly the lock file, and lets no package run a script", () => {
    for (const [line] of dockerfile.matchAll(/npm (ci|install|prune)[^&\n]*/g))
      expect(line).toContain("--ignore-scripts");
    expect(dockerfile).not.toMatch(/npm install/);
  });

  test("is built for real, starts from its own file system, and relays", { timeout: 300_000 }, (context) => {
    if (process.env.CANDOR_SLOW_TESTS !== "1") context.skip("takes a minute: set CANDOR_SLOW_TESTS=1");
    for (const tool of ["buildah", "mmdebstrap", "unshare"]) {
      const { error } = spawnSync(tool, ["--version"]);
      if (error !== undefined) context.skip(`${tool} can't be run: ${error.message}`);
    }
    const run = (script: string) => spawnSync(`deploy/image/${script}`, ["candor:try"], { encoding: "utf8" });
    const built = run("build-offline.sh");
    expect(built.status, built.stderr).toBe(0);
    const tried = run("try.sh");
    expect(tried.status, tried.stderr).toBe(0);
    expect(tried.stdout).toContain("ended with 0 after TERM");
  });
});
