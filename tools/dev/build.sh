# ./dev build and the commands that build first and then run something.

# $1: preset; the rest: targets (all of them when none is given). Configures every time: it takes a
# second or two and notices a module whose CMakeLists.txt is new.
build_preset() {
  local preset=$1
  shift
  [ "$preset" != debug ] || preset=dev
  [ "$preset" = gcc ] || build_web  # before CMake looks for the page
  cmake -S . --preset "$preset" >"$ROOT/build/.configure-$preset.log" 2>&1 ||
    { cat "$ROOT/build/.configure-$preset.log" >&2; die "configuring preset '$preset' failed"; }
  cmake --build "build/$preset" ${1:+--target "$@"}
}

list_presets() {
  sed -n 's/.*{"name": "\([a-z]*\)", "\(inherits\|generator\)".*/\1/p' CMakePresets.json
}

cmd_build() {
  local preset=${1:-release}
  [ "$preset" = debug ] || grep -qx -- "$preset" <<<"$(list_presets)" ||
    die "unknown preset '$preset'; there are: debug (= dev)" $(list_presets)
  cmd_setup
  mkdir -p build
  build_preset "$preset" "${@:2}" || die "the build failed"
  say "build: build/${preset/#debug/dev}/bin holds the programs"
}

cmd_demo() {
  cmd_setup
  mkdir -p build
  build_preset release ethnet || die "the build failed"
  exec tools/demo "$@"
}

cmd_sim() {
  cmd_setup
  mkdir -p build
  build_web
  cmake -S . --preset release >build/.configure-release.log 2>&1 || die "configuring failed: build/.configure-release.log"
  ninja -C build/release -t query ethnet-sim >/dev/null 2>&1 ||
    die "this tree has no program ethnet-sim yet"
  build_preset release ethnet-sim || die "the build failed"
  exec build/release/bin/ethnet-sim "$@"
}

# Programs in build/$1/bin whose name ends with $2, one a line.
programs() {
  find "build/$1/bin" -maxdepth 1 -type f -executable -name "*$2" 2>/dev/null | sort
}

# The corpus of the repository is read; what a run finds goes into build/fuzz: copy what is worth keeping.
cmd_fuzz() {
  local name=${1:-} seconds=${2:-60} program target
  local -a found
  cmd_setup
  mkdir -p build
  build_preset fuzz "${name:-fuzzers}${name:+_fuzz}" || die "the build failed"
  mapfile -t found < <(programs fuzz "${name}_fuzz" | grep -E "/${name:-.*}_fuzz$")
  [ ${#found[@]} -gt 0 ] || die "no fuzz target '${name:-*}'; there are: $(ls tests/fuzz/corpus | tr '\n' ' ')"
  for program in "${found[@]}"; do
    target=$(basename "$program" _fuzz)
    mkdir -p "build/fuzz/corpus/$target" build/fuzz/found
    say "fuzz: $target for $seconds s of CPU"
    python3 tools/dev/fuzz.py "$program" "$target" "$seconds" build/fuzz/results.txt \
      -timeout=20 -rss_limit_mb=3000 -print_funcs=0 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/found/$target-" "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" ||
      die "$target found a failure: the input is in build/fuzz/found"
  done
}

# With the peers that ./dev setup could build or install here; the rows of one that it could not say so.
run_compare() {
  local -a options=(--dir build)
  [ ! -x build/tools/geth_bench ] || options+=(--peer-geth "$ROOT/build/tools/geth_bench")
  local name
  for name in chainsafe ethereumjs; do
    [ ! -e tests/interop/$name/node_modules/.package-lock.json ] || options+=("--peer-$name" "bench/compare/$name.mjs")
  done
  "$1" "${options[@]}"
}

cmd_bench() {
  local name=${1:-} program
  local -a found
  [ -d bench ] || die "this tree has no benchmarks yet (bench/ does not exist)"
  cmd_build release ${name:+"${name}_bench"}
  mapfile -t found < <(programs release "${name}_bench")
  [ ${#found[@]} -gt 0 ] || die "no benchmark '${name:-*}' in build/release/bin"
  for program in "${found[@]}"; do
    say "bench: $(basename "$program")"
    case $program in
      */compare_bench) run_compare "$program" ;;
      *) "$program" ;;
    esac
  done
}
