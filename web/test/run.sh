#!/bin/sh
# run.sh unit | FILE of test/e2e: one set of the page's tests, as ctest calls it. Says why where it cannot run.
cd "$(dirname "$0")/.." || exit 1
skip() {
  printf 'page %s: Skipped\n%s\n' "$1" "$2"
  exit 0
}
command -v node >/dev/null || skip "$1" "no node here: ./dev setup installs it"
[ -d node_modules/vitest ] || skip "$1" "no node_modules in web/: ./dev setup fetches them"
if [ "$1" = unit ]; then
  exec node node_modules/vitest/vitest.mjs run --project unit
fi
[ -x /usr/bin/chromium ] || skip "$1" "no Chromium here: ./dev setup installs it"
[ -f dist/index.html ] || skip "$1" "the page is not built: ./dev web builds it"
exec node node_modules/vitest/vitest.mjs run --project e2e --reporter=verbose "test/e2e/$1.test.ts"
