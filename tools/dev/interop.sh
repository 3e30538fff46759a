# Implementations of other people that judge ours (tests/interop): built from pinned versions, once for each. What cannot be
# built here (no Go, no network) is skipped by name in the tests.

# One file for each peer tells when it was installed.
build_geth_peer() {
  local from=tests/interop/geth to=build/tools
  [ ! $to/devp2p -nt $from/go.sum ] || [ ! $to/geth_discover -nt $from/main.go ] || return 0
  command -v go >/dev/null || { say "setup: no Go here: the tests with go-ethereum are skipped"; return 0; }
  mkdir -p $to
  say "setup: building go-ethereum's discovery and its test suites (minutes, the first time)"
  (cd $from && go build -o "$ROOT/$to/geth_discover" . &&
    go build -o "$ROOT/$to/devp2p" github.com/ethereum/go-ethereum/cmd/devp2p) >build/.geth-setup.log 2>&1 ||
    {
      cat build/.geth-setup.log >&2
      say "setup: go-ethereum does not build (it needs a network once): the tests with it are skipped"
      return 0
    }
  touch $to/devp2p $to/geth_discover
}

# go-ethereum's side of ./dev bench compare; its smoke test runs it, too.
build_geth_bench() {
  local from=bench/compare/geth to=build/tools/geth_bench file
  command -v go >/dev/null || return 0
  if [ -x $to ]; then
    file=$(find $from -newer $to -print -quit)
    [ -n "$file" ] || return 0
  fi
  mkdir -p build/tools
  say "setup: building go-ethereum's side of the comparisons"
  (cd $from && go build -o "$ROOT/$to" .) >build/.geth-bench-setup.log 2>&1 ||
    {
      cat build/.geth-bench-setup.log >&2
      say "setup: it does not build (it needs a network once): its rows are not run, and their test is skipped"
      return 0
    }
  touch $to
}

# $1: the folder
install_npm_peer() {
  local installed=$1/node_modules/.package-lock.json
  [ ! "$installed" -nt "$1/package-lock.json" ] || return 0
  mkdir -p build
  say "setup: npm ci in $1"
  (cd "$1" && npm ci --ignore-scripts --no-progress --loglevel=error) >build/.npm-peer-setup.log 2>&1 ||
    {
      cat build/.npm-peer-setup.log >&2
      say "setup: npm ci failed in $1 (it needs a network once): the tests with it are skipped"
      return 0
    }
  touch "$installed"
}

setup_interop() {
  build_geth_peer
  build_geth_bench
  install_npm_peer tests/interop/chainsafe
  install_npm_peer tests/interop/ethereumjs
}

# Which of them are there, by name.
tell_peers() {
  local name file
  while read -r name file; do
    if [ -e "$file" ]; then
      echo "setup: $name is there"
    else
      echo "setup: $name is not there: the tests with it are skipped"
    fi
  done <<'TXT'
go-ethereum build/tools/geth_discover
devp2p build/tools/devp2p
chainsafe tests/interop/chainsafe/node_modules/.package-lock.json
ethereumjs tests/interop/ethereumjs/node_modules/.package-lock.json
TXT
}
