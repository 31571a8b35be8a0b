# What the tests' services need and a new Debian machine lacks. Sourced by .ci/run; `out` is its scratch folder, `node` is on the path.

three_times() { # COMMAND…
  "$@" || { sleep 5; "$@"; } || { sleep 20; "$@"; }
}

has_java() {
  [ "$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -1)" -ge 17 ] 2>/dev/null
}

# Debian's packages for what is missing. Their services are not started: each test run starts its own on its own data.
install_packages() {
  local wanted=()
  has_java || wanted+=(openjdk-17-jdk-headless)
  command -v mvn >/dev/null || wanted+=(maven)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || wanted+=(postgresql)
  command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || wanted+=(mariadb-server)
  command -v openssl >/dev/null || wanted+=(openssl)
  python3 -c 'import pandas, pyarrow' 2>/dev/null || wanted+=(python3-venv)
  [ ${#wanted[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || { echo "missing, and no apt-get here: ${wanted[*]}"; return 1; }
  three_times apt-get update -q || return 1
  if [[ " ${wanted[*]} " == *' openjdk-17-jdk-headless '* ]] && ! apt-cache show openjdk-17-jdk-headless >/dev/null 2>&1; then
    wanted=("${wanted[@]/openjdk-17-jdk-headless/default-jdk-headless}")
  fi
  local policy=/usr/sbin/policy-rc.d code
  [ -e "$policy" ] && policy='' || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; }
  DEBIAN_FRONTEND=noninteractive three_times apt-get install -q -y --no-install-recommends "${wanted[@]}"
  code=$?
  [ -z "$policy" ] || rm -f "$policy"
  return "$code"
}

install_python_packages() {
  python3 -c 'import pandas, pyarrow' 2>/dev/null && return 0
  python3 -m venv "$out/python" && three_times "$out/python/bin/pip" install -q --disable-pip-version-check pandas pyarrow
}

install_services() {
  install_packages && install_python_packages && three_times node test/support/services/fetch-jars.ts
}
