#!/bin/sh
# Starts Candor from an image's own file system, as the image says, and calls it: user 65532, a root that can't be written,
# no privilege, a model that runs beside it. Needs root, buildah, unshare, setpriv and curl. Ends what it starts.
#   deploy/image/try.sh [NAME]     by default candor:VERSION
set -eu
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
name=${1:-candor:$version}
work=$(mktemp -d)
container=$(buildah from --pull-never "$name")
root=$(buildah mount "$container")
started=""
finish() {
  for process in $started; do kill -KILL "$process" 2>/dev/null || true; done
  wait
  buildah rm "$container" >/dev/null
  rm -rf "$work"
}
trap finish EXIT

# A model that answers everything with the same sentence.
cat >"$work/model.mjs" <<'MODEL'
import { createServer } from "node:http";
const answer = { id: "1", object: "chat.completion", created: 0, model: "model-x", choices: [
  { index: 0, finish_reason: "stop", message: { role: "assistant", content: "Take it slowly." } }] };
const server = createServer((request, response) => {
  request.resume().on("end", () => response.setHeader("content-type", "application/json").end(JSON.stringify(answer)));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
MODEL
node_modules/node/bin/node "$work/model.mjs" >"$work/model.port" &
started=$!
while [ ! -s "$work/model.port" ]; do sleep 0.1; done

cat >"$work/candor.yaml" <<CONFIG
upstreams: [{ id: local, baseUrl: "http://127.0.0.1:$(cat "$work/model.port")/v1" }]
subjects: [{ id: support, models: [model-x] }]
policies: [/candor/policies/secrets.yaml]
listen: { data: { port: 0 }, control: { port: 0 } }
evidence: { path: /data/candor.db }
drain: { minSeconds: 0, timeoutSeconds: 5 }
CONFIG
mkdir "$work/data"
touch "$work/log"
chown 65532:65532 "$work/data"

# What the image says is run: its entry point as process 1 in its own file system, bound read-only, with /data to write to.
entry=$(buildah inspect --type image --format '{{range .Docker.Config.Entrypoint}}{{.}} {{end}}' "$name")
mkdir -p "$root/etc/candor"
cp "$work/candor.yaml" "$root/etc/candor/candor.yaml"
unshare --mount --pid --fork --kill-child sh -eu -c '
  mount --bind "$1" "$1"
  mount --bind "$2" "$1/data"
  mkdir -p "$1/proc"
  mount -t proc proc "$1/proc"
  mount -o remount,bind,ro "$1"
  exec env -i NODE_ENV=production PATH=/usr/local/bin /usr/bin/setpriv --no-new-privs \
    /usr/sbin/chroot --userspec=65532:65532 "$1" $3 serve --config /etc/candor/candor.yaml
' sh "$root" "$work/data" "$entry" >"$work/log" 2>&1 &
outside=$!
started="$started $outside"
tries=0
until grep -q '"msg":"ready"' "$work/log"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ] || ! kill -0 "$outside" 2>/dev/null; then
    cat "$work/log" >&2
    exit 1
  fi
  sleep 0.1
done
# What waits outside passes no signals on.
candor=$(tr -d ' ' <"/proc/$outside/task/$outside/children")
url() { sed -n "s/.*\"$1\":\"\(http[^\"]*\)\".*/\1/p" "$work/log" | head -n 1; }

for path in /livez /readyz /startupz /metrics /dashboard/ /api/subjects; do
  curl -fsS -o /dev/null -w "%{http_code} $path\n" "$(url control)$path"
done
grep -q '^NSpid:.*[^0-9]1$' "/proc/$candor/status" && echo "is process 1 in there"
echo "as user $(stat -c %u "/proc/$candor"), memory $(awk '/VmRSS/ { print $2 / 1024 " MiB" }' "/proc/$candor/status")"
curl -fsS "$(url data)/v1/chat/completions" -H 'authorization: Bearer none' -H 'content-type: application/json' \
  -d '{"model": "model-x", "messages": [{"role": "user", "content": "How do I start running?"}]}' | grep -o 'Take it slowly.'

# The image's own health check, at the port that was free here.
health=$(buildah inspect --type image --format '{{index .Docker.Config.Healthcheck.Test 3}}' "$name")
port=$(url control | grep -o '[0-9]*$')
env -i /usr/sbin/chroot --userspec=65532:65532 "$root" /usr/local/bin/node -e "$(echo "$health" | sed "s/:9090/:$port/")" && echo "healthy"

kill -TERM "$candor"
wait "$outside" && echo "ended with 0 after TERM"
test -s "$work/data/candor.db" && echo "evidence is in /data"
grep -q '"bomFormat": "CycloneDX"' "$root/candor/sbom.cdx.json" && echo "the bill of materials is at /candor/sbom.cdx.json"
