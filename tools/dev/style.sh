# ./dev fmt, ./dev tidy, ./dev facts and ./dev check.

cpp_files() {
  git ls-files --cached --others --exclude-standard -- '*.cpp' '*.hpp'
}

cmd_fmt() {
  cmd_setup
  python3 tools/check/includes.py
  cpp_files | xargs -r clang-format-19 -i
  python3 tools/check/limits.py
  python3 tools/check/facts.py >/dev/null
  say "fmt: formatted $(cpp_files | wc -l) files"
}

cmd_tidy() {
  cmd_setup
  mkdir -p build
  build_preset dev || die "clang-tidy needs a tree that builds"
  local -a files=("$@")
  [ ${#files[@]} -gt 0 ] || mapfile -t files < <(git ls-files 'src/*.cpp' 'apps/*.cpp' | grep -v '_test\.cpp$')
  printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-19 -p build/dev --quiet ||
    die "clang-tidy has findings"
  say "tidy: no findings in ${#files[@]} files"
}

cmd_facts() {
  python3 tools/check/facts.py
}

cmd_check() {
  cmd_setup
  exec python3 tools/check/run.py "$@"
}
