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

# What is in it: the packages of the lock file, and Node with the libraries that it brings.
npm sbom --package-lock-only --omit=dev --sbom-format=cyclonedx >packages.cdx.json
node -e '
  const bill = JSON.parse(require("node:fs").readFileSync("packages.cdx.json", "utf8"));
  for (const [name, version] of Object.entries(process.versions))
    bill.components.push({ "bom-ref": `runtime:${name}`, type: name === "node" ? "platform" : "library", name, version });
  console.log(JSON.stringify(bill, null, 2));
' >"$root/candor/sbom.cdx.json"
