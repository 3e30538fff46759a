# ./dev setup: the packages of a build, a test run and a check, on Debian 12 (bookworm), and the page's from npm.
# With ETHNET_SETUP=build (as in the Dockerfile) only what a build takes, and all of that: the page is no extra there.

# `name/suite` takes it from that suite, `name>=version` is too old otherwise.
readonly BUILD_PACKAGES='
  clang-19 lld-19 llvm-19 libclang-rt-19-dev
  g++-12 ninja-build cmake pkg-config python3 ca-certificates
  libngtcp2-dev/bookworm-backports libngtcp2-crypto-gnutls-dev/bookworm-backports libgnutls28-dev
  libsecp256k1-dev libssl-dev libsnappy-dev libc-ares-dev libminiupnpc-dev libsqlite3-dev
  libboost1.83-dev/bookworm-backports libfmt-dev libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libyaml-cpp-dev
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc grpc-proto
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev zlib1g-dev'
readonly TEST_PACKAGES='
  clang-tidy-19 clang-format-19 ccache git
  dpkg-dev file
  prometheus python3-grpcio python3-protobuf
  chromium fonts-dejavu-core groff-base'
if [ "${ETHNET_SETUP:-}" = build ]; then
  readonly PACKAGES=$BUILD_PACKAGES
else
  readonly PACKAGES="$BUILD_PACKAGES $TEST_PACKAGES"
fi
readonly SUITE=bookworm
readonly NGTCP2_MINIMUM=1.11

# Prints the entries of PACKAGES that are not installed, or installed in a version that is too old.
missing_packages() {
  local -A version=()
  local name state number entry
  while read -r name state number; do
    [ "$state" = ii ] && version[${name%%:*}]=$number
  done < <(dpkg-query -W -f '${Package} ${db:Status-Abbrev} ${Version}\n' 2>/dev/null)
  for entry in $PACKAGES; do
    name=${entry%%/*}
    if [ -z "${version[$name]:-}" ]; then
      echo "$entry"
    elif [[ $name == libngtcp2-* ]] && dpkg --compare-versions "${version[$name]}" lt "$NGTCP2_MINIMUM"; then
      echo "$entry"
    fi
  done
  # Whoever has a newer one of their own keeps it.
  command -v node >/dev/null || echo nodejs
  command -v npm >/dev/null || echo npm
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "'$*' needs root: run ./dev setup as root, or install sudo"
  fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -o DPkg::Lock::Timeout=300 "$@"
}

# Prints an entry for SUITE-backports made from the machine's own entry for SUITE, in the same format.
# $1: sources (deb822 stanzas) or list (one line each); the rest: the files to look in.
backports_entry() {
  local format=$1
  shift
  if [ "$format" = sources ]; then
    awk -v RS= -v suite="$SUITE" '
      {
        wanted = 0; binary = 0; off = 0; dropping = 0; text = ""
        count = split($0, line, "\n")
        for (i = 1; i <= count; i++) {
          if (line[i] ~ /^#/) continue
          if (dropping && line[i] ~ /^[ \t]/) continue
          dropping = 0
          if (line[i] ~ /^Types:.*deb([ \t]|$)/) { binary = 1; line[i] = "Types: deb" }
          if (tolower(line[i]) ~ /^enabled:[ \t]*(no|false|off)/) off = 1
          if (line[i] ~ /^Suites:/) {
            fields = split(line[i], word, /[ \t]+/)
            for (f = 2; f <= fields; f++) if (word[f] == suite) wanted = 1
            line[i] = "Suites: " suite "-backports"
            dropping = 1
          }
          text = text line[i] "\n"
        }
        if (wanted && binary && !off) { printf "%s", text; exit }
      }' "$@"
  else
    awk -v suite="$SUITE" '
      $1 == "deb" {
        for (i = 2; i <= NF; i++) if ($i == suite) { $i = suite "-backports"; print; exit }
      }' "$@"
  fi
}

enable_backports() {
  local dir=/etc/apt/sources.list.d format entry target
  local -a files
  if apt-cache policy 2>/dev/null | grep -q "n=$SUITE-backports"; then
    return
  fi
  for format in sources list; do
    mapfile -t files < <(find "$dir" /etc/apt/sources.list -maxdepth 1 -name "*.$format" 2>/dev/null | sort)
    [ ${#files[@]} -gt 0 ] || continue
    # One awk run a file: a stanza must not run over the end of its file.
    local file
    for file in "${files[@]}"; do
      entry=$(backports_entry "$format" "$file")
      [ -z "$entry" ] || break 2
    done
  done
  [ -n "${entry:-}" ] || die "no apt source for $SUITE found in $dir or /etc/apt/sources.list: cannot derive one for $SUITE-backports"
  target=$dir/ethnet-$SUITE-backports.$format
  say "setup: enabling $SUITE-backports in $target (from $file)"
  printf '%s\n' "$entry" | as_root tee "$target" >/dev/null
}

# Stops unless apt would remove nothing but another version's libboost headers.
confirm_removals() {
  local plan removals
  plan=$(apt_get -s install --no-install-recommends "$@") || die "apt cannot install: $*"
  removals=$(awk '$1 == "Remv" {print $2}' <<<"$plan")
  [ -n "$removals" ] || return 0
  say "setup: apt would remove:" $removals
  if grep -qvE '^libboost[a-z0-9.-]*-dev$' <<<"$removals"; then
    die "this is more than another libboost*-dev: not touched. Remove the conflict by hand, then run ./dev setup again"
  fi
}

setup_packages() {
  local -a missing
  command -v dpkg-query >/dev/null || die "setup knows Debian 12 only; install the packages listed in tools/dev/setup.sh by hand"
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: every package is installed"
    return
  fi
  grep -qs "^VERSION_CODENAME=$SUITE" /etc/os-release ||
    die "setup knows Debian 12 ($SUITE) only; missing here: ${missing[*]}"
  say "setup: missing: ${missing[*]}"
  if [[ "${missing[*]}" == */"$SUITE"-backports* ]]; then
    enable_backports
  fi
  apt_get -q update || die "apt-get update failed"
  confirm_removals "${missing[@]}"
  apt_get -q install -y --no-install-recommends "${missing[@]}" || die "apt-get install failed"
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] || die "still missing after the installation: ${missing[*]}"
  say "setup: done"
}

# `interop`: the peers alone (interop.sh).
cmd_setup() {
  if [ "${1:-}" = interop ]; then
    setup_interop
    tell_peers
    return
  fi
  setup_packages
  setup_web
  [ "${ETHNET_SETUP:-}" != build ] || return 0
  setup_grpcurl
  setup_interop
}
