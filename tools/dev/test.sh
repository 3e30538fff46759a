# ./dev test and ./dev cov.

# Runs ctest in build/$1 and prints the summary; $2: yes to show what tests print; $3: filter.
run_tests() {
  local dir=build/$1 show=$2 filter=$3 status=0
  local -a options=(--test-dir "$dir" -j "$(nproc)" --output-junit "$ROOT/$dir/junit.xml" --no-tests=error
    --test-output-size-passed 1000000 --test-output-size-failed 1000000)
  [ -z "$filter" ] || options+=(-R "$filter")
  if [ "$show" = yes ]; then
    options+=(-V)
  else
    options+=(--output-on-failure)
    [ ! -t 1 ] || options+=(--progress)
  fi
  rm -f "$dir/junit.xml"
  ctest "${options[@]}" </dev/null || status=$?
  python3 tools/dev/test_summary.py "$dir/junit.xml" "$status"
}

cmd_test() {
  local show=no filter='' argument
  for argument in "$@"; do
    case $argument in
      --nocapture) show=yes ;;
      -*) die "test: unknown option '$argument'" ;;
      *) [ -z "$filter" ] || die "test: one FILTER, a regular expression over test names"; filter=$argument ;;
    esac
  done
  cmd_setup
  mkdir -p build
  say "test: building with ASan + UBSan (preset dev)"
  build_preset dev || die "the build failed: no test was run"
  say "test: running ${filter:-every test}"
  run_tests dev "$show" "$filter"
}

cmd_cov() {
  cmd_build cov
  rm -rf build/cov/profiles
  # A few files a program, that its processes merge into: one file a process is a gigabyte.
  LLVM_PROFILE_FILE="$ROOT/build/cov/profiles/%4m.profraw" run_tests cov no '' || die "the tests failed: no coverage is reported"
  find build/cov/profiles -name '*.profraw' >build/cov/profiles.txt
  llvm-profdata-19 merge -sparse -f build/cov/profiles.txt -o build/cov/tests.profdata
  local -a programs_found
  mapfile -t programs_found < <(programs cov _test)
  python3 tools/dev/coverage.py --missed build/cov/missed.txt build/cov/tests.profdata "${programs_found[@]}"
}

cmd_mutants() {
  cmd_setup
  exec python3 tools/mutants/run.py "$@"
}
