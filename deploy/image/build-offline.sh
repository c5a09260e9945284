#!/bin/sh
# Builds the image where no image registry is reached: the base is made of Debian's packages, the pinned Node and npm of
# this checkout; everything after that is the Dockerfile. Needs root, buildah and mmdebstrap (apt-get install both), and
# an npm registry and a Debian mirror as they are set up on this machine.
#   deploy/image/build-offline.sh [NAME]     by default candor:VERSION, in buildah's own storage
set -eu
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
name=${1:-candor:$version}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "build: packages from the npm registry" >&2
cp package.json package-lock.json "$work/"
npm ci --prefix "$work" --cache "$work/cache" --ignore-scripts --no-audit --no-fund --loglevel=error >&2

printf 'registry=%s\ncache=/npm-cache\noffline=true\nupdate-notifier=false\n' "$(npm config get registry 2>/dev/null)" >"$work/npmrc"

echo "build: a base of Debian's packages" >&2
mmdebstrap --quiet --variant=minbase --include=libstdc++6 bookworm "$work/base.tar" >&2
base=$(buildah from scratch)
buildah add --quiet "$base" "$work/base.tar" / >/dev/null
buildah copy --quiet "$base" node_modules/node/bin/node /usr/local/bin/node >/dev/null
# Where npm itself is: its own answer depends on which Node runs it.
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
buildah copy --quiet "$base" "$npm" /usr/local/lib/node_modules/npm >/dev/null
for tool in npm npx; do
  printf '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/%s-cli.js "$@"\n' "$tool" >"$work/$tool"
  buildah copy --quiet --chmod 755 "$base" "$work/$tool" "/usr/local/bin/$tool" >/dev/null
done
buildah commit --quiet --rm "$base" localhost/candor-base >/dev/null

echo "build: the image" >&2
buildah build --quiet --isolation chroot --format docker --build-arg BASE=localhost/candor-base \
  --volume "$work/cache:/npm-cache:rw" --volume "$work/npmrc:/root/.npmrc:ro" --tag "$name" . >/dev/null
buildah images --format '{{.Name}}:{{.Tag}} {{.Size}}' "$name"
