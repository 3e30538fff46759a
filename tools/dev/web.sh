# ./dev web: the live page. `npm ci` needs a network, once for each package-lock.json; the build needs none.

readonly WEB_STAMP=build/.web-built

# What ./dev setup does for the page. Without a network everything else works: the programs then say that they have no
# page, and its tests are skipped by name.
setup_web() {
  local installed=web/node_modules/.package-lock.json
  [ ! "$installed" -nt web/package-lock.json ] || return 0
  mkdir -p build
  say "setup: npm ci for the page"
  (cd web && npm ci --ignore-scripts --no-progress --loglevel=error) >build/.web-setup.log 2>&1 ||
    {
      cat build/.web-setup.log >&2
      [ "${ETHNET_SETUP:-}" != build ] || die "setup: npm ci failed for web/, and an image or package has the page in it"
      say "setup: npm ci failed for web/ (it needs a network once): this build has no page"
      return 0
    }
  touch "$installed"
}

# Into web/dist, unless nothing that it is made of is newer. A folder is newer when a file was removed.
build_web() {
  [ -f web/node_modules/.package-lock.json ] || return 0  # ./dev setup has said why
  local -a sources=(web/src web/public web/index.html web/package-lock.json web/tsconfig.json web/vite.config.ts)
  if [ -f web/dist/index.html ] && [ -f "$WEB_STAMP" ] &&
    [ -z "$(find "${sources[@]}" -newer "$WEB_STAMP" -print -quit)" ]; then
    return 0
  fi
  say "web: building the page"
  mkdir -p build
  touch "$WEB_STAMP.begun"
  (cd web && npm run --silent build) >build/.web-build.log 2>&1 ||
    { cat build/.web-build.log >&2; die "the page does not build"; }
  mv "$WEB_STAMP.begun" "$WEB_STAMP"
}

cmd_web() {
  cmd_setup
  [ -f web/node_modules/.package-lock.json ] || die "web: there are no node_modules"
  build_web
  case ${1:-} in
    '') say "web: web/dist holds the page" ;;
    check) (cd web && npm run --silent check && npm run --silent unit) ;;
    *) die "web: there is 'check', not '$1'" ;;
  esac
}
