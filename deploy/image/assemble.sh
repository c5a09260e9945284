#!/bin/sh
# Run by the Dockerfile in /candor of the build stage: puts what the image holds, and nothing else, below a folder.
#   assemble.sh FOLDER
set -eu
root=$1
node=$(command -v node)

mkdir -p "$root/usr/local/bin" "$root/etc" "$root/candor" "$root/data" "$root/tmp"
cp "$node" "$root/usr/local/bin/node"
# Node's libraries and the loader, at the paths where the loader looks for them.
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
# Who runs, and in which order names are looked up: hosts file first.
echo 'candor:x:65532:65532:Candor:/data:/sbin/nologin' >"$root/etc/passwd"
echo 'candor:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
chown 65532:65532 "$root/data"
chmod 1777 "$root/tmp"

cp -R package.json node_modules dist policies models dashboard "$root/candor/"
# What is only for people who build on the packages.
find "$root/candor/node_modules" \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -type f -delete
find "$root/candor/dist" -name '*.d.ts' -delete

# What is in it: the packages that are installed, Node with what is linked into it, and the libraries that it loads.
cd "$root/candor"
npm pkg delete devDependencies scripts
npm sbom --sbom-format=cyclonedx >/tmp/packages.cdx.json
dpkg-query --show --showformat='${Package} ${Version}\n' libc6 libgcc-s1 libstdc++6 >/tmp/libraries
node -e '
  const { readFileSync, readdirSync } = require("node:fs");
  const bill = JSON.parse(readFileSync("/tmp/packages.cdx.json", "utf8"));
  const listed = new Set(bill.components.map(({ name }) => name));
  const installed = readdirSync("node_modules").filter((name) => !name.startsWith("."))
    .flatMap((name) => (name.startsWith("@") ? readdirSync(`node_modules/${name}`).map((own) => `${name}/${own}`) : [name]));
  const missing = installed.filter((name) => !listed.has(name));
  if (missing.length > 0) throw new Error(`not in the bill of materials: ${missing.join(", ")}`);
  for (const [name, version] of Object.entries(process.versions))
    bill.components.push({ "bom-ref": `runtime:${name}`, type: name === "node" ? "platform" : "library", name, version });
  for (const [name, version] of readFileSync("/tmp/libraries", "utf8").trim().split("\n").map((line) => line.split(" "))) {
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}`;
    bill.components.push({ "bom-ref": purl, type: "library", name, version, purl });
  }
  console.log(JSON.stringify(bill, null, 2));
' >sbom.cdx.json
