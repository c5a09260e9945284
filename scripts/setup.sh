#!/bin/sh
# Installs what a fresh checkout lacks; does nothing when all is there.
#   setup.sh          npm packages (which bring the pinned Node)
#   setup.sh --test   the same, the real clients of test/clients, and Debian's prometheus, prometheus-alertmanager,
#                     chromium, haproxy and postgresql where apt-get may be used
set -eu
cd "$(dirname "$0")/.."

stamp=node_modules/.candor-setup
if [ ! -f "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  echo "setup: installing npm packages" >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  touch "$stamp"
fi

[ "${1:-}" = "--test" ] || exit 0

# Real clients stand apart, so that none of them is ever a dependency of the project. Without a registry they are left out.
stamp=test/clients/node_modules/.candor-setup
if [ ! -f "$stamp" ] || [ test/clients/package-lock.json -nt "$stamp" ]; then
  echo "setup: installing the real clients of test/clients" >&2
  bounded=""
  command -v timeout >/dev/null 2>&1 && bounded="timeout 300"
  # shellcheck disable=SC2086 # a command and its argument, or nothing
  if said=$($bounded npm ci --prefix test/clients --ignore-scripts --no-audit --no-fund --loglevel=error \
    --fetch-timeout=20000 --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=2000 2>&1 >/dev/null); then
    touch "$stamp"
  else
    rm -rf test/clients/node_modules
    echo "setup: they could not be installed; their tests will say that they were skipped. The reason:" >&2
    echo "${said:-no answer within 300 s}" | head -n 5 >&2
  fi
fi

missing=""
for pair in promtool:prometheus amtool:prometheus-alertmanager chromium:chromium haproxy:haproxy; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
# Debian keeps the server's programs off the PATH.
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
  echo "setup: no root apt-get for$missing; tests that need them will say that they were skipped" >&2
  exit 0
fi
echo "setup: installing Debian's$missing" >&2
# A policy that forbids it keeps the packages from starting services of their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
# shellcheck disable=SC2086 # a list
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
  >/dev/null 2>&1 || echo "setup: they could not be installed; tests that need them will say that they were skipped" >&2
