#!/bin/sh
# Installs what a fresh checkout lacks; does nothing when all is there.
#   setup.sh          npm packages (which bring the pinned Node)
#   setup.sh --test   the same, and Debian's prometheus and prometheus-alertmanager where apt-get may be used
set -eu
cd "$(dirname "$0")/.."

stamp=node_modules/.candor-setup
if [ ! -f "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  echo "setup: installing npm packages" >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  touch "$stamp"
fi

if [ "${1:-}" = "--test" ] && ! { command -v promtool && command -v amtool; } >/dev/null 2>&1; then
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "setup: installing Debian's prometheus and prometheus-alertmanager" >&2
    # A policy that forbids it keeps the package from starting its own service.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod 755 "$policy"
      trap 'rm -f "$policy"' EXIT
    fi
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus prometheus-alertmanager; } \
      >/dev/null 2>&1 || echo "setup: they could not be installed; tests that need them will say that they were skipped" >&2
  else
    echo "setup: no Prometheus and no root apt-get; tests that need it will say that they were skipped" >&2
  fi
fi
